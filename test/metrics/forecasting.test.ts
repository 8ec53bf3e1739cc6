import { expect, test } from 'vitest';
import { forecastErrors, naiveScale, quantileErrors, quantiles, smape } from '../../lib/metrics/forecasting.js';

test('forecast errors per step and over all', () => {
  const errors = forecastErrors([1, 2, 3, 4], [2, 2, 6, 0], 2, 0.5);
  expect(errors.mae).toEqual([2, 2]);
  expect(errors.rmse).toEqual([Math.sqrt(5), Math.sqrt(8)]);
  expect(errors.meanMae).toBe(2);
  expect(errors.meanRmse).toBeCloseTo(Math.sqrt(6.5), 12);
  expect(errors.mase).toEqual([4, 4]);
  expect(errors.meanMase).toBe(4);
  expect(forecastErrors([1], [1], 1)).toEqual({
    mae: [0],
    rmse: [0],
    smape: [0],
    meanMae: 0,
    meanRmse: 0,
    meanSmape: 0,
  });
  expect(errors.meanSmape).toBeCloseTo(smape([1, 2, 3, 4], [2, 2, 6, 0]), 12);
  // A scale for each example: (1 / 0.5 + 3 / 2) / 2 and (0 + 4 / 2) / 2.
  expect(forecastErrors([1, 2, 3, 4], [2, 2, 6, 0], 2, [0.5, 2]).mase).toEqual([1.75, 1]);
});

test('the scale of MASE: repeating the last value, or that of one season before', () => {
  expect(naiveScale([1, 3, 2, 6])).toBeCloseTo((2 + 1 + 4) / 3, 12);
  expect(naiveScale([1, 3, 2, 6], 2)).toBe(2);
});

test('smape: in percent, two zeros agree', () => {
  expect(smape([1, 0, 3], [3, 0, -3])).toBeCloseTo((200 * (2 / 4 + 0 + 1)) / 3, 12);
  expect(smape([2], [2])).toBe(0);
});

test('errors of quantiles, as scikit-learn 1.9.1 has them', () => {
  const truth = [-0.03, 0.88, -0.58, -0.11, 0.11, 0.06];
  const forecasts = [
    -1.23, 0.08, 1.36, -1.55, 0.12, 0.86, -0.64, 0.76, 2.0, -1.2, 0.07, 0.58, -0.19, -0.07, 0.68, -0.68, 0.67, 1.44,
  ];
  const errors = quantileErrors(forecasts, truth, [0.1, 0.5, 0.9]);
  const expected = [0.097, 0.265, 0.11316666666666664];
  expected.forEach((loss, quantile) => {
    expect(errors.pinball[quantile]).toBeCloseTo(loss, 12);
  });
  expect(errors.crps).toBeCloseTo((2 * (0.097 + 0.265 + 0.11316666666666664)) / 3, 12);
  expect(errors.below).toEqual([0, 4 / 6, 5 / 6]);
  expect(errors.coverage).toBe(5 / 6);
  expect(errors.width).toBeCloseTo((2.59 + 2.41 + 2.64 + 1.78 + 0.87 + 2.12) / 6, 12);
});

test('quantiles, as numpy.quantile has them', () => {
  expect(quantiles([3, 1, 4, 1, 5], [0.1, 0.5, 0.9])).toEqual([1, 3, expect.closeTo(4.6, 12)]);
  expect(quantiles([7], [0.3])).toEqual([7]);
});

test('bad input', () => {
  expect(() => quantiles([], [0.5])).toThrow(RangeError);
  expect(() => quantiles([1], [1])).toThrow(/levels\[0\]/);
  expect(() => forecastErrors([1], [1, 2], 2)).toThrow(/forecasts: expected 2 values/);
  expect(() => forecastErrors([1, 2, 3], [1, 2, 3], 2)).toThrow(RangeError);
  expect(() => forecastErrors([], [], 2)).toThrow(RangeError);
  expect(() => forecastErrors([1], [1], 1, 0)).toThrow(RangeError);
  expect(() => forecastErrors([1], [1], 1, [1, 1])).toThrow(/one number for each of 1 examples/);
  expect(() => naiveScale([1], 1)).toThrow(RangeError);
  expect(() => smape([], [])).toThrow(RangeError);
  expect(() => smape([1], [1, 2])).toThrow(/forecasts: expected 2 values/);
  expect(() => quantileErrors([1], [1], [0.5, 0.4])).toThrow(
    /levels\[1\]: expected a finite number > 0.5 and < 1, got 0.4/,
  );
  expect(() => quantileErrors([1], [1], [])).toThrow(TypeError);
  expect(() => quantileErrors([1, 2, 3], [1], [0.5, 0.6])).toThrow(/forecasts: expected 2 for each of 1/);
});
