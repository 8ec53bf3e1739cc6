import { checkInteger, checkPositiveInteger, wrongRange } from '../arguments.js';
import { fitHoltWinters } from './holt_winters.js';

/** A series and the forecasts that are to be made of it. */
export interface BaselineSeries {
  /** One value for each row; only rows before a forecast are read for it. */
  readonly values: ArrayLike<number>;
  /** Milliseconds since 1970 UTC of each row, rising; null without times: then nothing is forecast by the calendar. */
  readonly times: ArrayLike<number> | null;
  /** Rows of a season, for each season that is to be forecast by. Default: none. */
  readonly seasons?: readonly number[];
  /** The rows from 0 to below this are training rows, which climatology and exponential smoothing are fitted on. */
  readonly trainingRows: number;
  /** The first row of each forecast, at least 1, rising; the row before it is the last that is known. */
  readonly firstRows: ArrayLike<number>;
  /** Rows of each forecast. */
  readonly horizon: number;
}

/**
 * What can be forecast without a model, [forecasts, horizon] each, by name: `persistence`, `drift`, `season of 24`
 * (seasonal naive) and `Holt-Winters 24` for each season (without seasons `Holt`), `same day last year`, `climatology`. One whose history the
 * series does not hold is left out.
 *
 * @throws TypeError, RangeError
 */
export function baselines(series: BaselineSeries): Record<string, Float64Array> {
  checkSeries(series);
  const { values, times, trainingRows } = series;
  const { seasons = [], firstRows, horizon } = series;
  const found: Record<string, Float64Array | null> = { persistence: persistence(series), drift: drift(series) };
  for (const season of seasons) found[`season of ${season}`] = seasonalNaive(series, season);
  for (const season of seasons.length > 0 ? seasons : [1]) {
    const smoothing = fitHoltWinters(firstOf(values, trainingRows), season, horizon);
    const name = season > 1 ? `Holt-Winters ${season}` : 'Holt';
    found[name] = smoothing?.forecast(values, firstRows, horizon) ?? null;
  }
  if (times !== null) {
    found['same day last year'] = sameDayLastYear({ ...series, times });
    const normal = fitClimatology(firstOf(values, trainingRows), firstOf(times, trainingRows));
    found.climatology = forEachStep(series, (row) => normal(times[row] as number));
  }
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, Float64Array] => entry[1] !== null),
  );
}

function checkSeries({ values, times, seasons = [], trainingRows, firstRows, horizon }: BaselineSeries): void {
  if (times !== null && times.length !== values.length) throw wrongRange('times', `${values.length} values`, times);
  checkInteger(trainingRows, 'trainingRows', { min: 0, max: values.length });
  checkPositiveInteger(horizon, 'horizon');
  for (const [i, season] of seasons.entries()) checkInteger(season, `seasons[${i}]`, { min: 2 });
  for (let i = 0; i < firstRows.length; i++) {
    const above = i === 0 ? 0 : (firstRows[i - 1] as number);
    checkInteger(firstRows[i], `firstRows[${i}]`, { above, max: values.length - horizon });
  }
}

// [forecasts, horizon] from the row of each step and the last row that is known to its forecast; null when any value is NaN.
function forEachStep(
  { firstRows, horizon }: BaselineSeries,
  forecast: (row: number, lastKnown: number) => number,
): Float64Array | null {
  const out = Float64Array.from({ length: firstRows.length * horizon }, (_, i) => {
    const first = firstRows[Math.floor(i / horizon)] as number;
    return forecast(first + (i % horizon), first - 1);
  });
  return out.some(Number.isNaN) ? null : out;
}

/** Everything stays as it was: ŷ[t + k] = y[t]. */
function persistence(series: BaselineSeries): Float64Array | null {
  return forEachStep(series, (_, lastKnown) => series.values[lastKnown] as number);
}

/** The straight line through the first and the last value that is known: ŷ[t + k] = y[t] + k (y[t] - y[0]) / t. */
function drift({ values, ...series }: BaselineSeries): Float64Array | null {
  const first = values[0] as number;
  return forEachStep({ values, ...series }, (row, lastKnown) => {
    const last = values[lastKnown] as number;
    return lastKnown === 0 ? last : last + ((row - lastKnown) * (last - first)) / lastKnown;
  });
}

/** As it was a season before, or as many seasons as lead to a row that is known: ŷ[t + k] = y[t + k - m ⌈k / m⌉]. */
function seasonalNaive(series: BaselineSeries, season: number): Float64Array | null {
  return forEachStep(series, (row, lastKnown) => {
    const source = row - season * Math.ceil((row - lastKnown) / season);
    return source < 0 ? Number.NaN : (series.values[source] as number);
  });
}

/**
 * The seasonal naive forecast by the calendar: the value of the same date and time one year before, of 28 February for the 29th. Where
 * the series has no row at that time, the row before it counts. Steps of more than a year ahead go back as many years as lead to a
 * row that is known.
 */
function sameDayLastYear(series: BaselineSeries & { times: ArrayLike<number> }): Float64Array | null {
  const { values, times } = series;
  return forEachStep(series, (row, lastKnown) => {
    const known = times[lastKnown] as number;
    let years = 1;
    while (yearsBefore(times[row] as number, years) > known) years += 1;
    const source = lastRowUntil(times, yearsBefore(times[row] as number, years));
    return source < 0 ? Number.NaN : (values[source] as number);
  });
}

function yearsBefore(time: number, years: number): number {
  const date = new Date(time);
  const month = date.getUTCMonth();
  date.setUTCFullYear(date.getUTCFullYear() - years);
  // There was no 29 February, and the date has run over into March.
  if (date.getUTCMonth() !== month) date.setUTCDate(0);
  return date.getTime();
}

// The last row whose time is not later than `time`; -1 when all are.
function lastRowUntil(times: ArrayLike<number>, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const DAYS = 366;
/** Days on either side that the climatology takes in. */
const REACH = 15;

/**
 * The usual value at each day of the year: the mean of all training values, of every year, whose date lies within 15 days of it. Smooth
 * enough not to carry the weather of single days on, and narrow enough to follow the seasons.
 *
 * @returns from a time to its usual value; NaN where training has no value near that day of the year
 */
export function fitClimatology(values: ArrayLike<number>, times: ArrayLike<number>): (time: number) => number {
  const sums = new Float64Array(DAYS);
  const counts = new Float64Array(DAYS);
  for (let row = 0; row < values.length; row++) {
    const day = dayOfLeapYear(times[row] as number);
    sums[day] = (sums[day] as number) + (values[row] as number);
    counts[day] = (counts[day] as number) + 1;
  }
  const usual = Float64Array.from({ length: DAYS }, (_, day) => around(sums, day) / around(counts, day));
  return (time) => usual[dayOfLeapYear(time)] as number;
}

// The sum over the days within reach; December and January are neighbours.
function around(days: Float64Array, day: number): number {
  let sum = 0;
  for (let offset = -REACH; offset <= REACH; offset++) sum += days[(day + offset + DAYS) % DAYS] as number;
  return sum;
}

// From 0 for 1 January to 365, counted as in a leap year, so that a date has the same number in every year.
function dayOfLeapYear(time: number): number {
  const date = new Date(time);
  return (Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / 86_400_000;
}

function firstOf(values: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, i) => values[i] as number);
}
