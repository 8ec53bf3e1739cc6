import { describe, expect, test } from 'vitest';
import { Subset } from '../../lib/data/array_dataset.js';
import { range } from '../../lib/data/random.js';
import { kFold, randomSplit, splitWindows } from '../../lib/data/splits.js';
import { CudnnGruError } from '../../lib/errors.js';
import { fc } from '../fast_check.js';

describe('splitWindows', () => {
  test('a small series by hand', () => {
    const split = splitWindows({ rows: 20, window: 3, horizon: 2, validation: 5, test: 0.25 });
    expect(split).toEqual({
      train: range(6), // targets up to row 9
      validation: new Int32Array([7, 8, 9, 10]), // targets 10 to 14; history from row 7
      test: new Int32Array([12, 13, 14, 15]), // targets 15 to 19
      validationRow: 10,
      testRow: 15,
    });
  });

  const sizes = fc.record({
    rows: fc.integer({ min: 20, max: 300 }),
    window: fc.integer({ min: 1, max: 20 }),
    horizon: fc.integer({ min: 1, max: 12 }),
    stride: fc.integer({ min: 1, max: 5 }),
    validation: fc.oneof(
      fc.nat(40),
      fc.integer({ min: 0, max: 40 }).map((percent) => percent / 100),
    ),
    test: fc.oneof(
      fc.nat(40),
      fc.integer({ min: 0, max: 40 }).map((percent) => percent / 100),
    ),
  });

  test('no target row is in two parts, training ends before the others begin, no window is lost needlessly', () => {
    let completed = 0;
    fc.assert(
      fc.property(sizes, (options) => {
        let split: ReturnType<typeof splitWindows>;
        try {
          split = splitWindows(options);
        } catch (error) {
          if (error instanceof RangeError) return; // more asked for than there are rows
          expect(error).toMatchObject({ code: 'ERR_DATA' });
          return;
        }
        completed += 1;
        const { window, horizon, stride, rows } = options;
        const targetsOf = (starts: Int32Array) =>
          new Set([...starts].flatMap((start) => Array.from({ length: horizon }, (_, i) => start + window + i)));
        const [train, validation, testing] = [split.train, split.validation, split.test].map(targetsOf) as [
          Set<number>,
          Set<number>,
          Set<number>,
        ];
        expect([...train].filter((row) => validation.has(row) || testing.has(row))).toEqual([]);
        expect([...validation].filter((row) => testing.has(row))).toEqual([]);
        expect(Math.max(...train)).toBeLessThan(split.validationRow);
        expect(Math.min(...validation)).toBeGreaterThanOrEqual(split.validationRow);
        expect(Math.max(...validation)).toBeLessThan(split.testRow);
        expect(Math.min(...testing)).toBeGreaterThanOrEqual(split.testRow);
        // What is missing crosses a boundary.
        const kept = new Set([...split.train, ...split.validation, ...split.test]);
        for (let start = 0; start + window + horizon <= rows; start += stride) {
          if (kept.has(start)) continue;
          const [first, end] = [start + window, start + window + horizon];
          expect([split.validationRow, split.testRow].some((row) => first < row && row < end)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
    expect(completed).toBeGreaterThan(300);
  });

  test('a part that was asked for must not be empty', () => {
    const base = { rows: 100, window: 10, horizon: 7 };
    expect(() => splitWindows({ ...base, test: 3 })).toThrow(/not one window of 10 rows.* is left for the test/);
    expect(() => splitWindows({ ...base, validation: 0.001 })).toThrow(/is left for validation/);
    expect(() => splitWindows({ ...base, test: 90 })).toThrow(/is left for training/);
    expect(() => splitWindows({ ...base, test: 101 })).toThrow(RangeError);
    expect(() => splitWindows({ ...base, test: 60, validation: 60 })).toThrow(
      /validation \+ test: expected at most 100/,
    );
    expect(() => splitWindows({ ...base, test: 1.5 })).toThrow(RangeError);
    expect(() => splitWindows({ ...base, rows: 16 })).toThrow(CudnnGruError);
  });
});

describe('randomSplit', () => {
  test('each example is in exactly one part, the same for a seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 300 }), fc.maxSafeNat(), (length, seed) => {
        const split = randomSplit(length, { validation: 0.2, test: 2, seed });
        expect(split.test).toHaveLength(2);
        expect(split.validation).toHaveLength(Math.round(0.2 * length));
        const all = [...split.train, ...split.validation, ...split.test].sort((a, b) => a - b);
        expect(all).toEqual([...range(length)]);
        expect(randomSplit(length, { validation: 0.2, test: 2, seed })).toEqual(split);
      }),
    );
    expect(randomSplit(100, { test: 50, seed: 1 }).test).not.toEqual(randomSplit(100, { test: 50, seed: 2 }).test);
  });

  test('a part that was asked for must not be empty', () => {
    expect(() => randomSplit(3, { validation: 0.1 })).toThrow(/not one of 3 examples is left for validation/);
    expect(() => randomSplit(3, { test: 3 })).toThrow(/left for training/);
    expect(() => randomSplit(0)).toThrow(RangeError);
  });
});

test('Subset maps its numbers to those of the whole', () => {
  const whole = {
    length: 10,
    lengthOf: (index: number) => index * 10,
    get: (indices: ArrayLike<number>) => {
      const data = Int32Array.from(indices);
      return { inputs: { data, shape: [data.length] }, targets: { data, shape: [data.length] } };
    },
  };
  const subset = new Subset(whole, [7, 3, 3]);
  expect(subset.length).toBe(3);
  expect(subset.get([1, 0]).inputs.data).toEqual(new Int32Array([3, 7]));
  expect(subset.lengthOf?.(0)).toBe(70);
  const { lengthOf: _, ...plain } = whole;
  expect(new Subset(plain, [1]).lengthOf).toBeUndefined();
  expect(() => new Subset(whole, [10])).toThrow(RangeError);
});

describe('kFold', () => {
  test('every example is in the test of one fold, and in the training of all others', () => {
    const folds = kFold(23, { folds: 4, seed: 3 });
    expect(folds.map(({ test }) => test.length)).toEqual([6, 6, 6, 5]);
    expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual([...Array(23).keys()]);
    for (const { train, test } of folds) {
      expect([...train, ...test].sort((a, b) => a - b)).toEqual([...Array(23).keys()]);
      expect([...train]).toEqual([...train].sort((a, b) => a - b));
    }
    expect(kFold(23, { folds: 4, seed: 3 })).toEqual(folds);
    expect(kFold(23, { folds: 4, seed: 4 })).not.toEqual(folds);
    expect(kFold(10)).toHaveLength(5);
    expect(() => kFold(3, { folds: 4 })).toThrow(RangeError);
    expect(() => kFold(1)).toThrow(RangeError);
  });
});
