import { checkInteger, checkOptions, quote } from '../arguments.js';
import { numericColumn, type Table } from '../data/csv.js';
import { CudnnGruError } from '../errors.js';
import { type ForecastErrors, forecastErrors } from '../metrics/forecasting.js';
import { baselines } from '../training/baselines.js';
import { timesOf } from './calendar.js';
import { preprocessingOf } from './forecast_inputs.js';
import type { Forecaster } from './forecaster.js';

/** How good forecasts are, beside what can be had without a model. */
export interface ForecastEvaluation {
  /** The first row of each window; its forecast is of the rows from `start + window` on. */
  readonly starts: Int32Array;
  /** [windows, horizon], in the target's unit. */
  readonly forecasts: Float32Array;
  readonly truth: Float32Array;
  readonly errors: ForecastErrors;
  /** By name, as `baselines` of lib/training gives them; the climatology is fitted on the rows before the first that is forecast. */
  readonly baselines: Readonly<Record<string, ForecastErrors>>;
}

export interface EvaluationOptions {
  /**
   * The first row that is forecast; windows reach back before it. Default: with a time column the first row later than everything that
   * the model was trained on, else the first row that has a whole window before it.
   */
  firstRow?: number;
}

/**
 * Forecasts from every row on whose whole horizon lies in the table, and compares with what came.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` when no window is left
 */
export async function evaluateForecaster(
  model: Forecaster,
  table: Table,
  options: EvaluationOptions = {},
): Promise<ForecastEvaluation> {
  checkOptions(options, 'options', ['firstRow']);
  const { target, time, window, horizon, naiveScale } = preprocessingOf(model);
  const firstRow =
    options.firstRow === undefined ? firstNewRow(model, table) : checkInteger(options.firstRow, 'firstRow', { min: 0 });
  const from = Math.max(0, firstRow - window);
  const windows = table.rows - from - window - horizon + 1;
  if (windows < 1) {
    throw new CudnnGruError(
      'ERR_DATA',
      `${table.source} has ${table.rows} rows, ${Math.max(0, table.rows - firstRow)} of them to be forecast: too few for a window of ${window} and a horizon of ${horizon}`,
    );
  }
  const starts = Int32Array.from({ length: windows }, (_, i) => from + i);
  const values = numericColumn(table, target);
  const truth = new Float32Array(windows * horizon);
  for (const [i, start] of starts.entries())
    truth.set(values.subarray(start + window, start + window + horizon), i * horizon);
  const { data: forecasts } = await model.predict(table, starts);
  const compare = (series: ArrayLike<number>) =>
    forecastErrors(series, truth, horizon, naiveScale > 0 ? naiveScale : undefined);
  const naive = baselines({
    values,
    times: time === null ? null : timesOf(table, time),
    trainingRows: from + window,
    firstRows: starts.map((start) => start + window),
    horizon,
  });
  const baselineErrors = Object.fromEntries(Object.entries(naive).map(([name, series]) => [name, compare(series)]));
  return { starts, forecasts, truth, errors: compare(forecasts), baselines: baselineErrors };
}

// The first row later than the model's training data. Without times nobody can tell, so all rows count.
function firstNewRow(model: Forecaster, table: Table): number {
  const { time, trainedUntil } = preprocessingOf(model);
  if (time === null || trainedUntil === null) return 0;
  const last = Date.parse(trainedUntil);
  const row = timesOf(table, time).findIndex((moment) => moment > last);
  if (row < 0) {
    throw new CudnnGruError(
      'ERR_DATA',
      `${table.source} has no row later than ${quote(trainedUntil)}, where the data end that the model was trained on`,
    );
  }
  return row;
}
