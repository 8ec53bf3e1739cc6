import { describe, expect, test } from 'vitest';
import { changesToLevels, WindowDataset, windowStarts } from '../../lib/data/windows.js';
import { fc } from '../fast_check.js';

// Row r of a series holds [r, r + 0.5] as inputs and 100 + r² as target: every number says where it came from.
function series(rows: number) {
  return {
    inputs: { data: Float32Array.from({ length: 2 * rows }, (_, i) => i / 2), shape: [rows, 2] },
    targets: Float32Array.from({ length: rows }, (_, row) => 100 + row * row),
  };
}

test('a batch holds the rows that its windows cover', () => {
  const windows = new WindowDataset({ ...series(8), window: 3, horizon: 2 });
  expect(windows.length).toBe(4);
  expect(windows.get([2, 0])).toEqual({
    inputs: { data: new Float32Array([2, 2.5, 3, 3.5, 4, 4.5, 0, 0.5, 1, 1.5, 2, 2.5]), shape: [2, 3, 2] },
    targets: { data: new Float32Array([125, 136, 109, 116]), shape: [2, 2] },
  });
});

test('targets as change from the last known value, and back', () => {
  const windows = new WindowDataset({ ...series(8), window: 3, horizon: 2, targetMode: 'change' });
  const { targets } = windows.get([2, 0]);
  expect(targets).toEqual({ data: new Float32Array([9, 20, 5, 12]), shape: [2, 2] });
  const last = windows.lastTargetsAt([2, 0]);
  expect(last).toEqual({ data: new Float32Array([116, 104]), shape: [2] });
  expect(changesToLevels({ data: targets.data as Float32Array, shape: targets.shape }, last)).toEqual({
    data: new Float32Array([125, 136, 109, 116]),
    shape: [2, 2],
  });
});

test('several targets keep their own last values', () => {
  const targets = { data: Float32Array.from({ length: 12 }, (_, i) => i * i), shape: [6, 2] };
  const options = { inputs: new Float32Array(6), targets, window: 2, horizon: 3 };
  const levels = new WindowDataset(options).get([0, 1]).targets;
  const changing = new WindowDataset({ ...options, targetMode: 'change' });
  const changes = changing.get([0, 1]).targets;
  expect(levels.shape).toEqual([2, 3, 2]);
  expect([...changes.data.slice(0, 4)]).toEqual([16 - 4, 25 - 9, 36 - 4, 49 - 9]);
  expect(changesToLevels(changes, changing.lastTargetsAt([0, 1]))).toEqual(levels);
});

test('the future: the last window has inputs and a last value but no targets', () => {
  const windows = new WindowDataset({ ...series(8), window: 3, horizon: 2 });
  expect(windows.inputsAt([5])).toEqual({ data: new Float32Array([5, 5.5, 6, 6.5, 7, 7.5]), shape: [1, 3, 2] });
  expect(windows.lastTargetsAt([5]).data).toEqual(new Float32Array([149]));
  expect(() => windows.inputsAt([6])).toThrow(RangeError);
});

test('any size: each window is rows start to start + window + horizon - 1 of the series', () => {
  const size = fc.record({
    rows: fc.integer({ min: 2, max: 60 }),
    window: fc.integer({ min: 1, max: 20 }),
    horizon: fc.integer({ min: 1, max: 10 }),
    stride: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(size, ({ rows, window, horizon, stride }) => {
      fc.pre(rows >= window + horizon);
      const windows = new WindowDataset({ ...series(rows), window, horizon, stride });
      expect(windows.length).toBe(Math.floor((rows - window - horizon) / stride) + 1);
      for (let i = 0; i < windows.length; i++) {
        const { inputs, targets } = windows.get([i]);
        const start = i * stride;
        expect([...inputs.data]).toEqual(Array.from({ length: 2 * window }, (_, j) => start + j / 2));
        expect([...targets.data]).toEqual(Array.from({ length: horizon }, (_, j) => 100 + (start + window + j) ** 2));
      }
    }),
  );
});

describe('bad input', () => {
  test('too few rows', () => {
    expect(() => windowStarts(30, 60, 7)).toThrow(
      'the series has 30 rows; a window of 60 and a horizon of 7 need at least 67',
    );
    expect(() => new WindowDataset({ ...series(4), window: 3, horizon: 2 })).toThrow(
      expect.objectContaining({ code: 'ERR_DATA' }),
    );
  });

  test('arguments', () => {
    const good = { ...series(8), window: 3, horizon: 2 };
    expect(() => new WindowDataset({ ...good, window: 0 })).toThrow('window: expected an integer >= 1, got 0 (number)');
    expect(() => new WindowDataset({ ...good, horizon: 1.5 })).toThrow(RangeError);
    expect(() => new WindowDataset({ ...good, targets: new Float32Array(7) })).toThrow(
      /targets: expected as many rows/,
    );
    expect(() => new WindowDataset({ ...good, starts: [4] })).toThrow(/starts\[0\]: expected an integer >= 0 and <= 3/);
    expect(() => new WindowDataset({ ...good, starts: [0], stride: 2 })).toThrow(TypeError);
    expect(() => new WindowDataset({ ...good, targetMode: 'chnge' as 'change' })).toThrow(/did you mean "change"\?/);
    expect(() => new WindowDataset({ ...good, widow: 3 } as never)).toThrow(/did you mean "window"\?/);
    expect(() => new WindowDataset(good).get([4])).toThrow(RangeError);
    const changes = { data: new Float32Array(4), shape: [2, 2] };
    expect(() => changesToLevels(changes, { data: new Float32Array(3), shape: [3] })).toThrow(RangeError);
  });
});
