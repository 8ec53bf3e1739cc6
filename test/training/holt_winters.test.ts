import { expect, test } from 'vitest';
import { fitHoltWinters } from '../../lib/training/holt_winters.js';

// Between 0 and 1, without a rhythm that a season could meet.
const noise = (t: number) => Math.abs(Math.sin(12.9898 * t * t + 78.233) * 43758.5453) % 1;

const forecast = (values: readonly number[], training: number, season: number, first: number, horizon: number) =>
  Array.from(fitHoltWinters(values.slice(0, training), season)?.forecast(values, [first], horizon) ?? []);

test('goes on with a season on a line', () => {
  const season = [5, -3, 0, -2];
  const values = Array.from({ length: 80 }, (_, t) => 10 + 0.5 * t + (season[t % 4] as number));
  const found = forecast(values, 60, 4, 72, 8);
  // The trend is damped, so the forecast falls a little behind the line.
  for (const [step, value] of found.entries())
    expect(Math.abs(value - (values[72 + step] as number))).toBeLessThan(0.5);
});

test('without a season it is exponential smoothing with a damped trend', () => {
  const constant = new Array<number>(30).fill(7);
  for (const value of forecast(constant, 20, 1, 25, 3)) expect(value).toBeCloseTo(7, 9);
});

test('knows the rows before a forecast only, and its parameters the training rows', () => {
  const values = Array.from({ length: 120 }, (_, t) => Math.sin(t) + ((t * 7919) % 101) / 50);
  const changed = values.map((value, t) => (t < 100 ? value : 1000));
  expect(forecast(changed, 90, 6, 100, 12)).toEqual(forecast(values, 90, 6, 100, 12));
  expect(forecast(changed, 90, 6, 101, 12)).not.toEqual(forecast(values, 90, 6, 101, 12));
});

test('the fitted parameters are better than others: no worse than seasonal naive on noise around a season', () => {
  const values = Array.from({ length: 240 }, (_, t) => 3 * Math.sin((2 * Math.PI * t) / 12) + noise(t));
  const firstRows = Array.from({ length: 100 }, (_, i) => 130 + i);
  const smoothing = fitHoltWinters(values.slice(0, 130), 12)?.forecast(values, firstRows, 1) as Float64Array;
  const error = (of: (row: number, i: number) => number) =>
    firstRows.reduce((sum, row, i) => sum + Math.abs((values[row] as number) - of(row, i)), 0);
  expect(error((_, i) => smoothing[i] as number)).toBeLessThan(error((row) => values[row - 12] as number));
});

test('needs two seasons and two rows', () => {
  expect(fitHoltWinters([1, 2, 3, 4, 5], 2)).toBeNull();
  expect(fitHoltWinters([1, 2, 3, 4, 5, 6], 2)).not.toBeNull();
});
