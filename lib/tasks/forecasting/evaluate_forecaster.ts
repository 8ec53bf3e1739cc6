import { checkOptions, checkPositiveInteger, quote } from '../../arguments.js';
import type { Table } from '../../data/csv.js';
import { CudnnGruError } from '../../errors.js';
import { type ForecastErrors, forecastErrors, type QuantileErrors, quantileErrors } from '../../metrics/forecasting.js';
import { type BaselineForecasts, forecastBaselines } from './baseline_forecasts.js';
import type { Forecaster } from './forecaster.js';
import { forecastWindows, type PredictOptions } from './predict_windows.js';
import { preprocessingOf, scalingOf } from './preprocessing.js';
import { type SeriesTable, seriesAt, seriesTable } from './series.js';

/** Errors of forecasts; with `quantiles` where quantiles were forecast. */
export interface ForecastScores extends ForecastErrors {
  /** Over all steps; the coverage is that of the interval from the lowest to the highest level. */
  readonly quantiles?: QuantileErrors;
}

/** How good forecasts are, beside what can be had without a model. */
export interface ForecastEvaluation {
  /** The first row of each window, counted with the rows of each series brought together; forecast are the rows from `start + window` on. */
  readonly starts: Int32Array;
  /** Rows of each forecast. */
  readonly horizon: number;
  /** [windows, horizon], in the target's unit: medians where there are quantiles. */
  readonly forecasts: Float32Array;
  readonly truth: Float32Array;
  /** [windows, horizon, levels], in the target's unit; null without quantiles. */
  readonly quantiles: Float32Array | null;
  readonly errors: ForecastScores;
  /**
   * By name, as `baselines` of lib/training gives them, fitted on the rows before the first that is forecast. Their quantiles are those of
   * the errors that they made before it.
   */
  readonly baselines: Readonly<Record<string, ForecastScores>>;
}

export interface EvaluationOptions extends PredictOptions {
  /**
   * Forecast these last rows of each series; windows reach back before them. Default: with a time column all rows later than what the
   * model was trained on, else all that have a whole window before them.
   */
  last?: number;
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
  checkOptions(options, 'options', ['last', 'horizon']);
  const preprocessing = preprocessingOf(model);
  const rows = seriesTable(table, preprocessing);
  const last = options.last === undefined ? undefined : checkPositiveInteger(options.last, 'last');
  const firstRows =
    last === undefined
      ? newRows(rows, preprocessing.trainedUntil)
      : rows.series.map(({ first, known }) => Math.max(first, known - last));
  return evaluateRows(model, rows, firstRows, options.horizon ?? preprocessing.horizon);
}

/** @internal Evaluates on the rows of each series from a row of its own on. */
export async function evaluateRows(
  model: Forecaster,
  rows: SeriesTable,
  firstRows: readonly number[],
  horizon: number,
): Promise<ForecastEvaluation> {
  const preprocessing = preprocessingOf(model);
  const { target, window, quantiles: levels } = preprocessing;
  const parts = rows.series.map((series, i) => {
    const from = Math.max(series.first, (firstRows[i] as number) - window);
    return Array.from({ length: Math.max(0, series.known - from - window - horizon + 1) }, (_, w) => from + w);
  });
  const starts = Int32Array.from(parts.flat());
  if (starts.length === 0) {
    const count = rows.series.reduce((sum, { known }, i) => sum + Math.max(0, known - (firstRows[i] as number)), 0);
    throw new CudnnGruError(
      'ERR_DATA',
      `${rows.source} has ${rows.order.length} rows, ${count} of them to be forecast: too few for a window of ${window} and a horizon of ${horizon}`,
    );
  }
  const values = rows.columns.get(target) as Float64Array;
  const truth = new Float32Array(starts.length * horizon);
  for (const [i, start] of starts.entries())
    truth.set(values.subarray(start + window, start + window + horizon), i * horizon);
  const { forecasts, quantiles } = await forecastWindows(model.compute, rows, preprocessing, starts, { horizon });
  const scales = Array.from(starts, (start) => scalingOf(preprocessing, seriesAt(rows, start).name).naiveScale);
  const score = (method: BaselineForecasts): ForecastScores => ({
    ...forecastErrors(method.forecasts, truth, horizon, scales.every((scale) => scale > 0) ? scales : undefined),
    ...(method.quantiles && { quantiles: quantileErrors(method.quantiles, truth, levels) }),
  });
  const naive = forecastBaselines(rows, preprocessing, parts, horizon, quantiles ? levels : []);
  return {
    starts,
    horizon,
    forecasts,
    truth,
    quantiles,
    errors: score({ forecasts, quantiles }),
    baselines: Object.fromEntries(Object.entries(naive).map(([name, method]) => [name, score(method)])),
  };
}

// The first row of each series later than the model's training data. Without times nobody can tell, so all rows count.
function newRows({ series, times, source }: SeriesTable, trainedUntil: string | null): number[] {
  if (times === null || trainedUntil === null) return series.map(({ first }) => first);
  const last = Date.parse(trainedUntil);
  const found = series.map(({ first, known }) => {
    let row = first;
    while (row < known && (times[row] as number) <= last) row++;
    return row;
  });
  if (found.every((row, i) => row === series[i]?.known)) {
    throw new CudnnGruError(
      'ERR_DATA',
      `${source} has no row later than ${quote(trainedUntil)}, where the data end that the model was trained on`,
    );
  }
  return found;
}
