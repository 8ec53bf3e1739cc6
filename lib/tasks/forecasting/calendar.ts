import { checkString, quote } from '../../arguments.js';
import type { Table } from '../../data/csv.js';
import { parseTime } from '../../data/times.js';
import { CudnnGruError } from '../../errors.js';

/** A regularity of the calendar that a model may read as the sine and cosine of its phase. */
export type Cycle = 'year' | 'week' | 'day';
export const cycles: readonly Cycle[] = ['year', 'week', 'day'];

const DAY = 86_400_000;

/**
 * A column of times as milliseconds since 1970 UTC.
 *
 * @param seriesOf the number of the series that each row belongs to; times rise within a series. Default: all rows are of one
 * @throws CudnnGruError `ERR_DATA`, naming row and column, for a cell that is no ISO 8601 date or time, and for one that is not later
 * than the one above it
 */
export function timesOf(table: Table, name: string, seriesOf?: ArrayLike<number>): Float64Array {
  const column = table.columns.get(checkString(name, 'time'));
  if (column === undefined) throw new CudnnGruError('ERR_DATA', `${table.source} has no column ${quote(name)}`);
  const times = new Float64Array(column.length);
  const latest = new Map<number, number>();
  for (let row = 0; row < column.length; row++) {
    const cell = String(column[row]);
    const time = parseTime(cell);
    const place = () => `${table.source}, row ${row + (table.firstRow ?? 2)}, column ${quote(name)}`;
    if (Number.isNaN(time)) {
      throw new CudnnGruError('ERR_DATA', `${place()}: expected a date such as 2012-01-31, got ${quote(cell)}`);
    }
    const series = seriesOf?.[row] ?? 0;
    if (time <= (latest.get(series) ?? Number.NEGATIVE_INFINITY)) {
      const above = seriesOf ? 'the row before of its series' : 'the row above';
      throw new CudnnGruError(
        'ERR_DATA',
        `${place()}: ${quote(cell)} is not later than ${above}; sort the rows by time`,
      );
    }
    latest.set(series, time);
    times[row] = time;
  }
  return times;
}

/** Where each time stands in a cycle, from 0 to below 1 (UTC). */
export function phasesOf(times: Float64Array, cycle: Cycle): Float64Array {
  return times.map((time) => {
    if (cycle === 'day') return fraction(time / DAY);
    if (cycle === 'week') return fraction(time / (7 * DAY));
    const year = new Date(time).getUTCFullYear();
    const start = Date.UTC(year, 0, 1);
    return (time - start) / (Date.UTC(year + 1, 0, 1) - start);
  });
}

function fraction(value: number): number {
  return value - Math.floor(value);
}

/**
 * The `count` times that follow, in the rhythm of the last ones: their median distance, where months and years are counted by the
 * calendar.
 */
export function timesAfter(times: Float64Array, count: number): Float64Array {
  const last = times.at(-1) as number;
  const step = usualStep(times);
  const days = step / DAY;
  const months = days >= 28 && days <= 31 ? 1 : days >= 365 && days <= 366 ? 12 : 0;
  return Float64Array.from({ length: count }, (_, i) =>
    months > 0 ? addMonths(last, (i + 1) * months) : last + (i + 1) * step,
  );
}

// The median of the last 101 distances; a day when there is only one time.
function usualStep(times: Float64Array): number {
  const last = times.slice(-102);
  const steps = last
    .subarray(1)
    .map((time, i) => time - (last[i] as number))
    .sort();
  return steps.length === 0 ? DAY : (steps[Math.floor((steps.length - 1) / 2)] as number);
}

// A month that is too short for the day of the month gives its last day.
function addMonths(time: number, months: number): number {
  const from = new Date(time);
  const to = new Date(time);
  to.setUTCDate(1);
  to.setUTCMonth(from.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate();
  to.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return to.getTime();
}

/** Times as text, ISO 8601 in UTC: dates alone when all are at midnight. */
export function timeLabels(times: Float64Array): string[] {
  const dates = times.every((time) => time % DAY === 0);
  return Array.from(times, (time) => {
    const text = new Date(time).toISOString();
    return dates ? text.slice(0, 10) : text.replace(/(:00)?\.000Z$/, 'Z');
  });
}
