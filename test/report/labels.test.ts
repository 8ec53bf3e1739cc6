import { expect, test } from 'vitest';
import { decimalsFor, extent, fixed, short, wholeTicks } from '../../lib/report/numbers.js';
import { counted, datesOf, stepName, stepsAhead } from '../../lib/report/times.js';

test('steps are called after the distance of the rows', () => {
  expect(stepName(['2015-01-01', '2015-01-02', '2015-01-03'])).toBe('day');
  expect(stepName(['2015-01-01', '2015-01-02', '2015-01-03', '2015-02-03'])).toBe('day'); // a gap
  expect(stepName(['2015-01-01T00:00Z', '2015-01-01T01:00Z'])).toBe('hour');
  expect(stepName(['2015-01-01T00:00Z', '2015-01-01T00:01Z'])).toBe('minute');
  expect(stepName(['2015-01-01', '2015-01-08'])).toBe('week');
  expect(stepName(['2015-01-31', '2015-02-28', '2015-03-31'])).toBe('month');
  expect(stepName(['2015-01-01', '2016-01-01', '2017-01-01'])).toBe('year');
  expect(stepName(['2015-01-01', '2015-01-03'])).toBe('step');
  expect(stepName(['1', '2'])).toBe('step');
  expect(stepName([])).toBe('step');
  expect([counted(1, 'day'), counted(7, 'day'), stepsAhead('day')]).toEqual(['1 day', '7 days', 'Days ahead']);
});

test('dates are in UTC, and all or none', () => {
  expect(datesOf(['2015-01-01T06:00'])).toEqual([new Date('2015-01-01T06:00Z')]);
  expect(datesOf(['2015-01-01T06:00Z', '2015-01-02'])).toEqual([
    new Date('2015-01-01T06:00Z'),
    new Date('2015-01-02Z'),
  ]);
  expect(datesOf(['2015-01-01', '2015-13-01'])).toBeNull();
  expect(datesOf(['17'])).toBeNull();
});

test('numbers', () => {
  expect([[2.134], [21.34], [2134], [0.02134], [0], [Number.NaN]].map(decimalsFor)).toEqual([2, 1, 0, 4, 2, 2]);
  expect([fixed(-1.25, 1), fixed(Number.NaN, 1), fixed(null, 1)]).toEqual(['−1.3', '–', '–']);
  expect([short(0.34567), short(1e-7), short(-3), short(undefined)]).toEqual(['0.3457', '1e−7', '−3', '–']);
  expect(extent([Number.NaN, 3, null, -1, Number.POSITIVE_INFINITY])).toEqual([-1, 3]);
  expect(extent([Number.NaN])).toBeNull();
});

test('ticks of axes that count', () => {
  expect(wholeTicks(1, 7, 16)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(wholeTicks(1, 15, 7)).toEqual([5, 10, 15]);
  expect(wholeTicks(1, 1, 7)).toEqual([1]);
  expect(wholeTicks(1, 3000, 7)).toEqual([500, 1000, 1500, 2000, 2500, 3000]);
});
