import { wrongRange } from '../../arguments.js';
import { partSize } from '../../data/splits.js';
import { windowStarts } from '../../data/windows.js';
import { CudnnGruError } from '../../errors.js';
import type { SeriesTable } from './series.js';

/** What trains, validates and tests a forecaster: first rows of windows, and where the parts of each series begin. */
export interface SeriesSplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
  /** For each series: rows before this one belong to training. */
  readonly validationRows: readonly number[];
  /** For each series: rows from this one on belong to the test. */
  readonly testRows: readonly number[];
}

export interface SeriesSplitOptions {
  readonly window: number;
  readonly horizon: number;
  /** Shares (below 1) or numbers of rows, of the longest series. */
  readonly validation: number;
  readonly test: number;
}

/**
 * Cuts all series at the same two times; without times, so many rows before their ends. A window belongs to the part that holds all the
 * rows that it forecasts, and to none when they cross a boundary: so no row is forecast in two parts, and nothing that training reads
 * is as late as the first row of validation or test, in any series.
 *
 * @throws RangeError; CudnnGruError `ERR_DATA` when a part that was asked for gets no window
 */
export function splitSeries(rows: SeriesTable, options: SeriesSplitOptions): SeriesSplit {
  const { window, horizon } = options;
  const { series, times } = rows;
  const longest = series.reduce((a, b) => (b.known - b.first > a.known - a.first ? b : a));
  const total = longest.known - longest.first;
  windowStarts(total, window, horizon); // says so when not even the longest series holds one
  const test = partSize(total, options.test, 'test');
  const validation = partSize(total, options.validation, 'validation');
  if (validation + test > total) throw wrongRange('validation + test', `at most ${total}`, validation + test);
  const boundary = (fromEnd: number) =>
    series.map(({ first, known }) => {
      if (fromEnd === 0) return known;
      if (times === null) return Math.max(first, known - fromEnd);
      const time = times[longest.known - fromEnd] as number;
      let row = first;
      while (row < known && (times[row] as number) < time) row++;
      return row;
    });
  const testRows = boundary(test);
  const validationRows = boundary(validation + test);
  const within = (from: (series: number) => number, to: (series: number) => number) =>
    Int32Array.from(
      series.flatMap(({ first, known }, i) => {
        if (known - first < window + horizon) return [];
        return Array.from(windowStarts(known - first, window, horizon), (start) => first + start).filter(
          (start) => start + window >= from(i) && start + window + horizon <= to(i),
        );
      }),
    );
  const at = (list: readonly number[]) => (i: number) => list[i] as number;
  const split = {
    train: within(() => 0, at(validationRows)),
    validation: within(at(validationRows), at(testRows)),
    test: within(at(testRows), (i) => series[i]?.known as number),
    validationRows,
    testRows,
  };
  const wanted = [
    ['training', split.train, 1],
    ['validation', split.validation, validation],
    ['the test', split.test, test],
  ] as const;
  for (const [part, windows, size] of wanted) {
    if (windows.length > 0 || size === 0) continue;
    throw new CudnnGruError(
      'ERR_DATA',
      `${rows.source}: not one window of ${window} rows with a horizon of ${horizon} is left for ${part}: ${total} rows, of them ${validation} for validation and ${test} for the test`,
    );
  }
  return split;
}
