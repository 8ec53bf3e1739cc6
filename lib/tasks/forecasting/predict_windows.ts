import { checkOptions, checkPositiveInteger } from '../../arguments.js';
import type { HostArray } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';
import type { ForecastPreprocessing } from './preprocessing.js';
import type { SeriesTable } from './series.js';
import { checkStarts, ForecastWindows } from './windows.js';

export interface PredictOptions {
  /**
   * Rows to forecast. Default: the model's own horizon. Rows beyond it are forecast recursively: the model reads its forecasts (medians)
   * as if they had come, so it must read nothing but the target and what is known ahead.
   */
  horizon?: number;
}

/** From windows to the model's answers [windows, horizon] or [windows, horizon, quantiles]. */
export type Compute = (windows: HostArray<Float32Array>) => Promise<Float32Array>;

/** Forecasts in the target's unit. */
export interface RawForecasts {
  readonly starts: Int32Array;
  readonly count: number;
  readonly horizon: number;
  /** [count, horizon] */
  readonly forecasts: Float32Array;
  /** [count, horizon, quantiles], rising; null without quantiles, and beyond the model's own horizon. */
  readonly quantiles: Float32Array | null;
}

// Windows that are forecast together.
const windowsPerBatch = 256;

/** @throws RangeError; CudnnGruError `ERR_DATA`, `ERR_UNSUPPORTED` */
export async function forecastWindows(
  compute: Compute,
  rows: SeriesTable,
  preprocessing: ForecastPreprocessing,
  given: ArrayLike<number> | undefined,
  options: PredictOptions = {},
): Promise<RawForecasts> {
  checkOptions(options, 'options', ['horizon']);
  const horizon = checkPositiveInteger(options.horizon ?? preprocessing.horizon, 'horizon');
  const recursive = horizon > preprocessing.horizon;
  if (recursive && preprocessing.inputs.length > 1) {
    const others = preprocessing.inputs.slice(1).map((name) => JSON.stringify(name));
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `the model forecasts ${preprocessing.horizon} rows; it cannot go on to ${horizon}, because it reads ${others.join(', ')}, which is not known ahead`,
    );
  }
  const starts = Int32Array.from(given ?? lastStarts(rows, preprocessing.window));
  const ahead = Math.max(horizon, preprocessing.decoder ? preprocessing.horizon : 0);
  checkStarts(rows, starts, preprocessing, ahead);
  // A recursion in whole steps of the model's horizon may read a little further.
  const windows = new ForecastWindows(
    rows,
    preprocessing,
    Math.ceil(ahead / preprocessing.horizon) * preprocessing.horizon,
  );
  const levels = preprocessing.quantiles.length;
  const forecasts = new Float32Array(starts.length * horizon);
  const quantiles = levels > 0 && !recursive ? new Float32Array(starts.length * horizon * levels) : null;
  for (let first = 0; first < starts.length; first += windowsPerBatch) {
    const batch = starts.subarray(first, first + windowsPerBatch);
    if (recursive) {
      forecasts.set(await forecastRecursively(compute, windows, batch, horizon), first * horizon);
      continue;
    }
    const found = inUnits(await compute(windows.inputsAt(batch)), windows, rows, batch);
    for (let i = 0; i < batch.length; i++) {
      const own = preprocessing.horizon * Math.max(1, levels);
      const answer = found.subarray(i * own, i * own + horizon * Math.max(1, levels));
      const to = (first + i) * horizon;
      quantiles?.set(answer, to * levels);
      forecasts.set(levels > 0 ? mediansOf(answer, preprocessing.quantiles) : answer, to);
    }
  }
  return { starts, count: starts.length, horizon, forecasts, quantiles };
}

/** @internal The last windows of each series. @throws CudnnGruError `ERR_DATA` for a series that is shorter */
export function lastStarts({ series, source }: SeriesTable, window: number, count = 1): number[] {
  return series.flatMap(({ name, first, known }) => {
    if (known - first >= window + count - 1)
      return Array.from({ length: count }, (_, i) => known - window - count + 1 + i);
    const which = name === '' ? '' : ` of ${JSON.stringify(name)}`;
    const windows =
      count === 1
        ? `the model reads windows of ${window}`
        : `${count} windows of ${window} rows need ${window + count - 1}`;
    throw new CudnnGruError('ERR_DATA', `${source} has ${known - first} rows${which}; ${windows}`);
  });
}

function mediansOf(answer: Float32Array, levels: readonly number[]): Float32Array {
  const median = levels.indexOf(0.5);
  return Float32Array.from(
    { length: answer.length / levels.length },
    (_, i) => answer[i * levels.length + median] as number,
  );
}

/**
 * Answers as numbers of the target's unit, quantiles with their margins and in rising order (V. Chernozhukov, I. Fernández-Val,
 * A. Galichon, "Quantile and probability curves without crossing", 2010).
 */
function inUnits(
  answers: Float32Array,
  windows: ForecastWindows,
  { columns }: SeriesTable,
  starts: Int32Array,
): Float32Array {
  const { target, targetMode, horizon, window, quantiles, margins } = windows.preprocessing;
  const values = columns.get(target) as Float64Array;
  const size = horizon * Math.max(1, quantiles.length);
  const out = new Float32Array(answers.length);
  for (const [i, start] of starts.entries()) {
    const scaler = windows.scalerAt(start);
    const base = targetMode === 'change' ? (values[start + window - 1] as number) : (scaler.offset[0] as number);
    for (let at = 0; at < size; at++) {
      const answer = (answers[i * size + at] as number) + (margins[at] ?? 0);
      out[i * size + at] = base + (scaler.scale[0] as number) * answer;
    }
    for (let at = 0; at < size && quantiles.length > 0; at += quantiles.length) {
      out.subarray(i * size + at, i * size + at + quantiles.length).sort();
    }
  }
  return out;
}

async function forecastRecursively(
  compute: Compute,
  windows: ForecastWindows,
  starts: Int32Array,
  horizon: number,
): Promise<Float32Array> {
  const { preprocessing } = windows;
  const { horizon: own, quantiles, window } = preprocessing;
  const blocks = Math.ceil(horizon / own);
  const rows = Array.from(starts, (start) => windows.rowsAt(start, blocks * own));
  const shape = windows.shape(starts.length);
  const size = (shape[1] as number) * (shape[2] as number);
  for (let block = 0; block < blocks; block++) {
    const data = new Float32Array(starts.length * size);
    for (const [i, one] of rows.entries()) data.set(windows.inputIn(one, block * own), i * size);
    const answers = await compute({ data, shape });
    for (const [i, one] of rows.entries()) {
      const answer = answers.subarray(i * (answers.length / starts.length), (i + 1) * (answers.length / starts.length));
      windows.answer(one, block * own, quantiles.length > 0 ? mediansOf(answer, quantiles) : answer);
    }
  }
  const width = (rows[0] as Float32Array).length / (window + blocks * own);
  return Float32Array.from({ length: starts.length * horizon }, (_, at) => {
    const i = Math.floor(at / horizon);
    const scaled = (rows[i] as Float32Array)[(window + (at % horizon)) * width] as number;
    const scaler = windows.scalerAt(starts[i] as number);
    return (scaler.offset[0] as number) + (scaler.scale[0] as number) * scaled;
  });
}
