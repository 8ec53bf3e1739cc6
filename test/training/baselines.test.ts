import { expect, test } from 'vitest';
import { type BaselineSeries, baselines, fitClimatology } from '../../lib/training/baselines.js';

const DAY = 86_400_000;
const at = (date: string) => Date.parse(date);

/** Days from `first` on; the value of each is what `value` makes of its date. */
function daily(first: string, rows: number, value: (date: string, row: number) => number) {
  const times = Float64Array.from({ length: rows }, (_, row) => at(first) + row * DAY);
  const dates = Array.from(times, (time) => new Date(time).toISOString().slice(0, 10));
  const values = dates.map(value);
  return { times, dates, values, rowOf: (date: string) => dates.indexOf(date) };
}

function forecasts(series: BaselineSeries, name: string): number[] | undefined {
  const found = baselines(series)[name];
  return found && Array.from(found);
}

test('persistence repeats the row before the forecast', () => {
  const series = { values: [3, 1, 4, 1, 5, 9], times: null, trainingRows: 2, firstRows: [1, 2, 4], horizon: 2 };
  expect(forecasts(series, 'persistence')).toEqual([3, 3, 1, 1, 1, 1]);
  expect(Object.keys(baselines(series))).toEqual(['persistence', 'drift']);
});

test('no forecast reads a row that is not before it', () => {
  const { times, values, rowOf } = daily('2018-01-01', 3 * 365, (_, row) => Math.sin(row) + row / 100);
  const trainingRows = rowOf('2020-01-01');
  const firstRows = [trainingRows, trainingRows + 40];
  for (const horizon of [7, 400]) {
    const series = { times, trainingRows, firstRows: [trainingRows], horizon };
    const before = baselines({ ...series, values: [...values, ...Array(400).fill(0)], times: extended(times, 400) });
    const changed = [...values, ...Array(400).fill(0)].map((value, row) => (row < trainingRows ? value : 1e6));
    expect(Object.keys(before)).toEqual(['persistence', 'drift', 'Holt', 'same day last year', 'climatology']);
    expect(baselines({ ...series, values: changed, times: extended(times, 400) })).toEqual(before);
  }
  // The climatology does not change either where a later forecast knows more rows.
  const [first = [], later = []] = firstRows.map(
    (row) => forecasts({ values, times, trainingRows, firstRows: [row], horizon: 50 }, 'climatology') ?? [],
  );
  expect(later.slice(0, 10)).toEqual(first.slice(40));
});

function extended(times: Float64Array, rows: number): Float64Array {
  const last = times.at(-1) as number;
  return Float64Array.from([...times, ...Array.from({ length: rows }, (_, i) => last + (i + 1) * DAY)]);
}

test('same day last year goes by the date, also around 29 February', () => {
  // The value of a day is its date as a number: 20200229 for 29 February 2020.
  const { times, values, rowOf } = daily('2019-01-01', 3 * 365, (date) => Number(date.replaceAll('-', '')));
  const from = (date: string, horizon: number) =>
    forecasts(
      { values, times, trainingRows: rowOf('2020-01-01'), firstRows: [rowOf(date)], horizon },
      'same day last year',
    );
  // 2020 is a leap year: its 29 February has no like in 2019.
  expect(from('2020-02-27', 4)).toEqual([20190227, 20190228, 20190228, 20190301]);
  expect(from('2021-02-27', 3)).toEqual([20200227, 20200228, 20200301]);
  expect(from('2020-12-31', 2)).toEqual([20191231, 20200101]);
});

test('steps of more than a year ahead go back as many years as are known', () => {
  const { times, values, rowOf } = daily('2018-01-01', 4 * 365, (date) => Number(date.replaceAll('-', '')));
  const firstRow = rowOf('2020-01-01');
  const series = { values, times, trainingRows: firstRow, firstRows: [firstRow], horizon: 500 };
  const found = forecasts(series, 'same day last year') ?? [];
  expect(found[0]).toBe(20190101);
  expect(found[365]).toBe(20191231); // of 31 December 2020
  expect(found[366]).toBe(20190101); // of 1 January 2021: 1 January 2020 is not known yet
});

test('same day last year: where a row is missing the one before it counts; weekly rows', () => {
  const times = ['2020-03-01', '2020-03-02', '2020-03-05', '2021-03-03', '2021-03-04', '2021-03-05'].map(at);
  const series = { values: [1, 2, 5, 13, 14, 15], times, trainingRows: 3, firstRows: [3], horizon: 3 };
  expect(forecasts(series, 'same day last year')).toEqual([2, 2, 5]);

  const weeks = Float64Array.from({ length: 60 }, (_, week) => at('2020-01-06') + week * 7 * DAY);
  const weekly = { values: Array.from(weeks.keys()), times: weeks, trainingRows: 53, firstRows: [53], horizon: 2 };
  // Row 53 is of 11 January 2021; the last Monday until 11 January 2020 is row 0, of the 6th.
  expect(forecasts(weekly, 'same day last year')).toEqual([0, 1]);
});

test('hours keep their time of day', () => {
  const times = ['2020-01-01T06:00Z', '2020-01-01T18:00Z', '2021-01-01T06:00Z', '2021-01-01T18:00Z'].map(at);
  const series = { values: [1, 2, 3, 4], times, trainingRows: 2, firstRows: [2], horizon: 2 };
  expect(forecasts(series, 'same day last year')).toEqual([1, 2]);
});

test('a baseline whose history is not there is left out', () => {
  const { times, values } = daily('2020-06-01', 100, (_, row) => row);
  const series = { values, times, trainingRows: 50, firstRows: [50], horizon: 5 };
  // No year before; and days 0 to 49 reach 15 days on, to day 64.
  expect(Object.keys(baselines(series))).toEqual(['persistence', 'drift', 'Holt', 'climatology']);
  expect(Object.keys(baselines({ ...series, firstRows: [65] }))).toEqual(['persistence', 'drift', 'Holt']);
  expect(Object.keys(baselines({ ...series, trainingRows: 0 }))).toEqual(['persistence', 'drift']);
});

test('the climatology is the mean of the training values within 15 days, over the turn of the year', () => {
  // Four values only: 1 for 20 December, 4 for 10 January 2020 and 7 for 10 January 2021, 100 in summer.
  const usual = fitClimatology([1, 4, 100, 7], ['2019-12-20', '2020-01-10', '2020-07-01', '2021-01-10'].map(at));
  expect(usual(at('2022-01-10'))).toBe(5.5);
  expect(usual(at('2022-01-04'))).toBe(4); // 15 days from 20 December, 6 from 10 January: (1 + 4 + 7) / 3
  expect(usual(at('2022-01-05'))).toBe(5.5);
  expect(usual(at('2022-12-25'))).toBe(1);
  expect(usual(at('2022-12-26'))).toBe(4);
  expect(usual(at('2022-06-16'))).toBe(100);
  expect(usual(at('2022-06-15'))).toBeNaN();
});

test('the climatology of a daily series: 31 days around, 29 February between the 28th and 1 March', () => {
  const { times, values } = daily('2021-01-01', 365, (_, row) => row);
  const usual = fitClimatology(values, times);
  // 1 July is row 181: the mean of rows 166 to 196.
  expect(usual(at('2023-07-01'))).toBe(181);
  // 29 February: 15 days before, rows 44 to 58, and 15 days after, rows 59 to 73.
  expect(usual(at('2024-02-29'))).toBe(58.5);
  // 1 January: rows 350 to 364 and 0 to 15.
  expect(usual(at('2024-01-01'))).toBeCloseTo((15 * 357 + 16 * 7.5) / 31, 12);
});

test('bad input', () => {
  const series = { values: [1, 2, 3], times: null, trainingRows: 1, firstRows: [1], horizon: 1 };
  expect(() => baselines({ ...series, times: [0, 1] })).toThrow(/times: expected 3 values/);
  expect(() => baselines({ ...series, firstRows: [0] })).toThrow(/firstRows\[0\]: expected an integer > 0/);
  expect(() => baselines({ ...series, firstRows: [3] })).toThrow(RangeError);
  expect(() => baselines({ ...series, trainingRows: 4 })).toThrow(RangeError);
  expect(() => baselines({ ...series, horizon: 0 })).toThrow(/horizon/);
});

test('drift goes on along the line through the first and the last value', () => {
  const series = { values: [1, 5, 4, 0, 0, 0], times: null, trainingRows: 2, firstRows: [1, 3], horizon: 2 };
  expect(forecasts(series, 'drift')).toEqual([1, 1, 5.5, 7]);
});

test('seasonal naive: as it was a season before, of any length, also further ahead than a season', () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const series = { values, times: null, seasons: [3, 9], trainingRows: 4, firstRows: [4], horizon: 5 };
  expect(forecasts(series, 'season of 3')).toEqual([2, 3, 4, 2, 3]);
  expect(forecasts(series, 'season of 9')).toBeUndefined();
  expect(() => baselines({ ...series, seasons: [1] })).toThrow(/seasons\[0\]/);
});
