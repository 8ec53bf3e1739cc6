import { describe, expect, it } from 'vitest';
import { phasesOf, timeLabels, timesAfter, timesOf } from '../../lib/tasks/forecasting/calendar.js';

const tableOf = (times: string[]) => ({ source: 'f.csv', rows: times.length, columns: new Map([['t', times]]) });
const read = (...times: string[]) => timesOf(tableOf(times), 't');

describe('timesOf', () => {
  it.each([
    ['2012-01-31', '2012-01-31T00:00:00.000Z'],
    ['2012-02-29 06:30', '2012-02-29T06:30:00.000Z'],
    ['2012-01-31T23:59:59.25Z', '2012-01-31T23:59:59.250Z'],
    ['2012-01-31T00:30:00+01:00', '2012-01-30T23:30:00.000Z'],
    ['2012-01-31T00:30-0500', '2012-01-31T05:30:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(new Date(read(text)[0] as number).toISOString()).toBe(expected);
  });

  it.each(['', 'soon', '2012-1-31', '2011-02-29', '2012-13-01', '2012-01-31T24:00', '31.01.2012', '17'])(
    'refuses %j',
    (text) => {
      expect(() => read('2010-01-01', text)).toThrow(
        `f.csv, row 3, column "t": expected a date such as 2012-01-31, got "${text}"`,
      );
    },
  );

  it('refuses times that do not rise', () => {
    expect(() => read('2012-01-02', '2012-01-03', '2012-01-03')).toThrow(
      /row 4, column "t": "2012-01-03" is not later/,
    );
  });
});

describe('phasesOf', () => {
  it('counts the year by its own length', () => {
    expect([...phasesOf(read('2012-01-01', '2012-07-02', '2013-01-01', '2013-12-31'), 'year')]).toEqual([
      0,
      183 / 366,
      0,
      364 / 365,
    ]);
  });

  it('counts days and weeks', () => {
    const times = read('2020-01-01T00:00', '2020-01-01T18:00', '2020-01-08T00:00');
    expect([...phasesOf(times, 'day')]).toEqual([0, 0.75, 0].map((phase) => expect.closeTo(phase, 9)));
    const weeks = phasesOf(times, 'week');
    expect(weeks[2]).toBeCloseTo(weeks[0] as number, 9);
    expect((weeks[1] as number) - (weeks[0] as number)).toBeCloseTo(0.75 / 7, 9);
  });
});

describe('timesAfter', () => {
  const after = (count: number, ...times: string[]) => timeLabels(timesAfter(read(...times), count));
  it.each<[string, string[], string[]]>([
    ['days, with one missing', ['2012-02-25', '2012-02-26', '2012-02-28'], ['2012-02-29', '2012-03-01']],
    ['hours', ['2012-01-01T22:00', '2012-01-01T23:00'], ['2012-01-02T00:00Z', '2012-01-02T01:00Z']],
    ['weeks', ['2012-01-01', '2012-01-08'], ['2012-01-15', '2012-01-22']],
    ['months', ['2012-10-31', '2012-11-30', '2012-12-31'], ['2013-01-31', '2013-02-28']],
    ['years', ['2010-02-01', '2011-02-01', '2012-02-01'], ['2013-02-01', '2014-02-01']],
    ['a single time', ['2012-01-01'], ['2012-01-02', '2012-01-03']],
  ])('continues %s', (_, times, expected) => {
    expect(after(2, ...times)).toEqual(expected);
  });
});
