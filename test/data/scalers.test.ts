import { describe, expect, test } from 'vitest';
import { fitMinMaxScaler, fitStandardScaler, Scaler } from '../../lib/data/scalers.js';
import { fc } from '../fast_check.js';

const rows = [1, 10, 2, 20, 3, 30, 4, 40]; // [4, 2]

test('standard: mean 0 and deviation 1 per feature', () => {
  const scaler = fitStandardScaler(rows, 2);
  expect([...scaler.offset]).toEqual([2.5, 25]);
  expect(scaler.scale[0]).toBeCloseTo(Math.sqrt(1.25), 12);
  expect(scaler.scale[1]).toBeCloseTo(Math.sqrt(125), 12);
  const scaled = scaler.transform(rows);
  for (const feature of [0, 1]) {
    const column = [...scaled].filter((_, i) => i % 2 === feature);
    expect(column.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 5);
    expect(column.reduce((sum, x) => sum + x * x, 0) / 4).toBeCloseTo(1, 5);
  }
});

test('minimum and maximum: 0 to 1 on the fitted rows, beyond on others', () => {
  const scaler = fitMinMaxScaler(rows, 2);
  expect([...scaler.transform(rows)].filter((_, i) => i % 2 === 0)).toEqual([0, 1 / 3, 2 / 3, 1].map(Math.fround));
  expect([...scaler.transform([7, -20])]).toEqual([2, -1]);
});

test.each([
  ['standard', fitStandardScaler],
  ['minMax', fitMinMaxScaler],
])('%s: there and back, also through JSON, and constant columns give 0', (_, fitScaler) => {
  const column = fc.tuple(
    fc.double({ min: -1e3, max: 1e3, noNaN: true }),
    fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.array(column, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(1000), { minLength: 2, maxLength: 20 }),
      (columns, values) => {
        const features = columns.length + 1; // the last one is constant
        const data = values.flatMap((value) => [...columns.map(([offset, scale]) => offset + scale * value), 0.1]);
        const scaler = Scaler.fromJSON(JSON.parse(JSON.stringify(fitScaler(data, features))));
        const scaled = scaler.transform(data);
        scaler.inverse(scaled).forEach((value, i) => {
          const size = Math.abs(scaler.offset[i % features] as number) + (scaler.scale[i % features] as number) * 5;
          expect(Math.abs(value - (data[i] as number))).toBeLessThanOrEqual(1e-6 * size);
        });
        for (let i = features - 1; i < scaled.length; i += features)
          expect(Math.abs(scaled[i] as number)).toBeLessThan(1e-12);
      },
    ),
  );
});

describe('bad input', () => {
  test('sizes', () => {
    expect(() => fitStandardScaler([], 1)).toThrow(RangeError);
    expect(() => fitStandardScaler([1, 2, 3], 2)).toThrow(
      'values: expected at least one row of 2 features, got [1, 2, 3]',
    );
    expect(() => fitStandardScaler(rows, 2).transform([1, 2, 3])).toThrow(RangeError);
    expect(() => fitMinMaxScaler(rows, 0)).toThrow(RangeError);
  });

  test('values that are not finite', () => {
    expect(() => fitStandardScaler([1, Number.NaN], 1)).toThrow(expect.objectContaining({ code: 'ERR_DATA' }));
    expect(() => fitMinMaxScaler([1, 2, 3, Number.POSITIVE_INFINITY], 2)).toThrow(
      /feature 1 holds values that are not finite/,
    );
    expect(() => fitMinMaxScaler([1, Number.NaN], 1)).toThrow(expect.objectContaining({ code: 'ERR_DATA' }));
  });

  test.each([
    [undefined],
    ['x'],
    [{ kind: 'standard', offset: [1], scale: [0] }],
    [{ kind: 'standard', offset: [1, 2], scale: [1] }],
    [{ kind: 'standard', offset: [], scale: [] }],
    [{ kind: 'standard', offset: ['1'], scale: [1] }],
    [{ kind: 'minmax', offset: [1], scale: [1] }],
  ])('JSON of a damaged model file: %j', (json) => {
    expect(() => Scaler.fromJSON(json)).toThrow(expect.objectContaining({ code: 'ERR_FORMAT' }));
  });
});
