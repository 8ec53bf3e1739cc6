import { expect, test } from 'vitest';
import { accuracy, forecastErrors, naiveScale } from '../../lib/training/metrics.js';

test('forecast errors per step and over all', () => {
  const errors = forecastErrors([1, 2, 3, 4], [2, 2, 6, 0], 2, 0.5);
  expect(errors.mae).toEqual([2, 2]);
  expect(errors.rmse).toEqual([Math.sqrt(5), Math.sqrt(8)]);
  expect(errors.meanMae).toBe(2);
  expect(errors.meanRmse).toBeCloseTo(Math.sqrt(6.5), 12);
  expect(errors.mase).toEqual([4, 4]);
  expect(errors.meanMase).toBe(4);
  expect(forecastErrors([1], [1], 1)).toEqual({ mae: [0], rmse: [0], meanMae: 0, meanRmse: 0 });
});

test('the scale of MASE: repeating the last value, or that of one season before', () => {
  expect(naiveScale([1, 3, 2, 6])).toBeCloseTo((2 + 1 + 4) / 3, 12);
  expect(naiveScale([1, 3, 2, 6], 2)).toBe(2);
});

test('accuracy: highest score against label, ignored labels left out', () => {
  const scores = [0, 1, 0, /**/ 5, 1, 2, /**/ 0, 0, 9, /**/ 1, 1, 0];
  expect(accuracy(scores, [1, 0, 0, 0], 3)).toBe(0.75);
  expect(accuracy(scores, [1, -100, 0, -100], 3)).toBe(0.5);
  expect(accuracy(scores, [-1, -1, -1, 0], 3, -1)).toBe(1);
  expect(accuracy([], [], 3)).toBeNaN();
});

test('bad input', () => {
  expect(() => forecastErrors([1], [1, 2], 2)).toThrow(/forecasts: expected 2 values/);
  expect(() => forecastErrors([1, 2, 3], [1, 2, 3], 2)).toThrow(RangeError);
  expect(() => forecastErrors([], [], 2)).toThrow(RangeError);
  expect(() => forecastErrors([1], [1], 1, 0)).toThrow(RangeError);
  expect(() => naiveScale([1], 1)).toThrow(RangeError);
  expect(() => accuracy([1, 2], [2], 2)).toThrow(/labels\[0\]: expected an integer >= 0 and < 2, got 2/);
  expect(() => accuracy([1, 2, 3], [0], 2)).toThrow(RangeError);
});
