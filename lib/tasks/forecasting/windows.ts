import { quote, wrongRange } from '../../arguments.js';
import { Scaler } from '../../data/scalers.js';
import type { Batch, Dataset, HostArray } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';
import { phasesOf, timesAfter } from './calendar.js';
import { aheadCount, type ForecastPreprocessing, featureCount, scalingOf, seasonsRead } from './preprocessing.js';
import { type SeriesRows, type SeriesTable, seriesAt } from './series.js';

/** A series as the model reads it. */
interface SeriesFeatures extends SeriesRows {
  /** [rows and `extra` behind them, inputs + known + 2 cycles], scaled; 0 where an input is not known. */
  readonly features: Float32Array;
  readonly scaler: Scaler;
}

/**
 * The windows of a table as a forecaster reads them: [window, features], and with a decoder [window + horizon, features], where the rows to
 * come hold what is known of them: the `known` columns, the calendar, and the target one season before (relative to the window's last value
 * where the model forecasts changes). All else is 0 there.
 */
export class ForecastWindows {
  readonly preprocessing: ForecastPreprocessing;
  readonly #series: readonly SeriesFeatures[];
  /** Features of a row without the seasons. */
  readonly #base: number;
  readonly #seasons: readonly number[];

  /**
   * @param ahead rows to forecast; default: the model's own horizon
   * @throws CudnnGruError `ERR_DATA` for a series that the model does not know
   */
  constructor(rows: SeriesTable, preprocessing: ForecastPreprocessing, ahead = preprocessing.horizon) {
    this.preprocessing = preprocessing;
    this.#seasons = seasonsRead(preprocessing);
    this.#base = featureCount(preprocessing) - this.#seasons.length;
    this.#series = rows.series.map((series) => ({
      ...series,
      features: featuresOf(rows, series, preprocessing, ahead),
      scaler: Scaler.fromJSON(scalingOf(preprocessing, series.name).target),
    }));
  }

  /** Shape of the windows that begin at `starts`. */
  shape(starts: number): number[] {
    const { window, horizon, decoder } = this.preprocessing;
    return [starts, window + (decoder ? horizon : 0), featureCount(this.preprocessing)];
  }

  /** @param starts the first row of each window, counted in the `SeriesTable` */
  inputsAt(starts: ArrayLike<number>): HostArray<Float32Array> {
    const shape = this.shape(starts.length);
    const size = (shape[1] as number) * (shape[2] as number);
    const data = new Float32Array(starts.length * size);
    for (let i = 0; i < starts.length; i++) {
      const { first, features } = this.#at(starts[i] as number);
      this.#write(data.subarray(i * size, (i + 1) * size), features, (starts[i] as number) - first);
    }
    return { data, shape };
  }

  /** What the model is to answer for the windows: [starts, horizon], in units of the target's scaler. */
  targetsAt(starts: ArrayLike<number>): HostArray<Float32Array> {
    const { window, horizon } = this.preprocessing;
    const data = new Float32Array(starts.length * horizon);
    for (let i = 0; i < starts.length; i++) {
      const { first, features } = this.#at(starts[i] as number);
      const last = (starts[i] as number) - first + window - 1;
      const base = this.#answerBase(features, last);
      for (let step = 0; step < horizon; step++) {
        data[i * horizon + step] = (features[(last + 1 + step) * this.#base] as number) - base;
      }
    }
    return { data, shape: [starts.length, horizon] };
  }

  /** A copy of the rows of one window and of `ahead` rows behind it, to forecast recursively in. */
  rowsAt(start: number, ahead: number): Float32Array {
    const { first, features } = this.#at(start);
    const { window, inputs } = this.preprocessing;
    const rows = features.slice((start - first) * this.#base, (start - first + window + ahead) * this.#base);
    for (let row = window; row < window + ahead; row++)
      rows.fill(0, row * this.#base, row * this.#base + inputs.length);
    return rows;
  }

  /** The input of the window that begins at a row of `rows`, as `rowsAt` gives them. */
  inputIn(rows: Float32Array, row: number): Float32Array {
    const [, length, features] = this.shape(1) as [number, number, number];
    const out = new Float32Array(length * features);
    this.#write(out, rows, row);
    return out;
  }

  /** Puts answers (units of the scaler) behind the window that begins at a row of `rows`, as if they had come. */
  answer(rows: Float32Array, row: number, answers: ArrayLike<number>): void {
    const last = row + this.preprocessing.window - 1;
    const base = this.#answerBase(rows, last);
    for (let step = 0; step < answers.length; step++) {
      const at = (last + 1 + step) * this.#base;
      if (at < rows.length) rows[at] = base + (answers[step] as number);
    }
  }

  /** The target's scaler for the window that begins at a row. */
  scalerAt(start: number): Scaler {
    return this.#at(start).scaler;
  }

  #at(start: number): SeriesFeatures {
    return seriesAt({ series: this.#series }, start) as SeriesFeatures;
  }

  // What answers are relative to, in units of the scaler.
  #answerBase(features: Float32Array, last: number): number {
    return this.preprocessing.targetMode === 'change' ? (features[last * this.#base] as number) : 0;
  }

  // One window into `out`: the rows of the past, then those to come.
  #write(out: Float32Array, features: Float32Array, row: number): void {
    const { window, horizon, decoder, inputs } = this.preprocessing;
    const base = this.#base;
    const width = base + this.#seasons.length;
    for (let t = 0; t < window; t++) out.set(features.subarray((row + t) * base, (row + t + 1) * base), t * width);
    if (!decoder) return;
    const last = row + window - 1;
    const level = this.#answerBase(features, last);
    for (let step = 1; step <= horizon; step++) {
      const at = (last + step) * base;
      const to = (window + step - 1) * width;
      out.set(features.subarray(at + inputs.length, at + base), to + inputs.length);
      for (const [i, season] of this.#seasons.entries()) {
        const before = last + step - season * Math.ceil(step / season);
        out[to + base + i] = (features[before * base] as number) - level;
      }
    }
  }
}

function featuresOf(
  { columns, times }: SeriesTable,
  { name, first, known, end }: SeriesRows,
  preprocessing: ForecastPreprocessing,
  ahead: number,
): Float32Array {
  const { inputs, calendar } = preprocessing;
  const names = [...inputs, ...preprocessing.known];
  const width = names.length + 2 * calendar.length;
  const rows = Math.max(end, known + ahead) - first;
  const scaler = Scaler.fromJSON(scalingOf(preprocessing, name).inputs);
  const features = new Float32Array(rows * width);
  const from = names.map((column) => columns.get(column) as Float64Array);
  for (const [c, column] of from.entries()) {
    const [offset, scale] = [scaler.offset[c] as number, scaler.scale[c] as number];
    const until = c < inputs.length ? known : end;
    for (let row = first; row < until; row++) {
      features[(row - first) * width + c] = ((column[row] as number) - offset) / scale;
    }
  }
  if (calendar.length === 0) return features;
  const own = (times as Float64Array).subarray(first, end);
  const all = Float64Array.from([...own, ...timesAfter(own, rows - own.length)]);
  for (const [i, cycle] of calendar.entries()) {
    for (const [row, phase] of phasesOf(all, cycle).entries()) {
      features[row * width + names.length + 2 * i] = Math.sin(2 * Math.PI * phase);
      features[row * width + names.length + 2 * i + 1] = Math.cos(2 * Math.PI * phase);
    }
  }
  return features;
}

/**
 * Checks that windows lie in their series and that the rows to come hold what is known ahead.
 *
 * @throws RangeError; CudnnGruError `ERR_DATA`
 */
export function checkStarts(
  rows: SeriesTable,
  starts: ArrayLike<number>,
  preprocessing: ForecastPreprocessing,
  ahead: number,
): void {
  const { window, known } = preprocessing;
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i] as number;
    const series =
      Number.isSafeInteger(start) && start >= 0 && start < rows.order.length ? seriesAt(rows, start) : null;
    if (series === null || start + window > series.known) {
      throw wrongRange(`starts[${i}]`, `the first of ${window} known rows of a series`, start);
    }
    if (known.length > 0 && start + window + ahead > series.end) {
      throw new CudnnGruError(
        'ERR_DATA',
        `${rows.source}: the ${ahead} rows to forecast must be in the table, with ${known.map(quote).join(', ')} and an empty ${quote(preprocessing.target)}`,
      );
    }
  }
}

/** Windows with what the model is to answer. */
export class ForecastDataset implements Dataset {
  readonly #windows: ForecastWindows;
  readonly #starts: Int32Array;

  constructor(windows: ForecastWindows, starts: Int32Array) {
    this.#windows = windows;
    this.#starts = starts;
  }

  get length(): number {
    return this.#starts.length;
  }

  get(indices: ArrayLike<number>): Batch {
    const starts = Int32Array.from(indices, (index) => this.#starts[index] as number);
    return { inputs: this.#windows.inputsAt(starts), targets: this.#windows.targetsAt(starts) };
  }
}

/** How many features of a row to come the decoder reads; 0 without a decoder. */
export function decoderSize(preprocessing: ForecastPreprocessing): number {
  return preprocessing.decoder ? aheadCount(preprocessing) : 0;
}
