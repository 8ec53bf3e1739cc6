import { type Table, writeCsv } from '../../data/csv.js';
import type { Forecaster } from './forecaster.js';
import { preprocessingOf } from './preprocessing.js';
import { seriesAt, seriesLabels, seriesTable } from './series.js';

/** Forecasts behind windows, in the target's unit. */
export interface Forecasts {
  /** [windows], as `predict` takes them. */
  readonly starts: Int32Array;
  /** [windows, horizon] */
  readonly forecasts: Float32Array;
  /** [windows, horizon, levels]; absent or null without quantiles. */
  readonly quantiles?: Float32Array | null;
  /** [windows, horizon], where it is known. */
  readonly truth?: Float32Array;
}

/**
 * Forecasts as the columns of a table with one row for each step of each forecast: the series (where there are several), when it was made
 * (the window's last row), the step, which row it is of, the forecast, the other quantiles (`level_q0.05`), and the truth where it is known. Rows
 * are told by their times, or by their numbers in the series from 1.
 */
export function forecastColumns(
  model: Forecaster,
  table: Table,
  { starts, forecasts, quantiles, truth }: Forecasts,
): Map<string, string[] | number[] | Float32Array> {
  const preprocessing = preprocessingOf(model);
  const { window, time, target, entity, quantiles: levels } = preprocessing;
  const horizon = forecasts.length / starts.length;
  const rows = seriesTable(table, preprocessing);
  const labels = new Map(rows.series.map((series) => [series, seriesLabels(rows, series, horizon)]));
  const steps = Array.from(starts).flatMap((start) => {
    const series = seriesAt(rows, start);
    const own = labels.get(series) as string[];
    const first = start - series.first + window;
    return Array.from({ length: horizon }, (_, step) => ({
      series: series.name,
      made: own[first - 1] as string,
      step: step + 1,
      row: own[first + step] as string,
    }));
  });
  const columns = new Map<string, string[] | number[] | Float32Array>([
    ...(entity === null ? [] : ([[entity, steps.map(({ series }) => series)]] as const)),
    ['made', steps.map(({ made }) => made)],
    ['step', steps.map(({ step }) => step)],
    [time ?? 'row', steps.map(({ row }) => row)],
    [`${target}_forecast`, forecasts],
  ]);
  for (const [i, level] of levels.entries()) {
    if (!quantiles || level === 0.5) continue; // the median is the forecast
    columns.set(
      `${target}_q${level}`,
      forecasts.map((_, at) => quantiles[at * levels.length + i] as number),
    );
  }
  return truth ? columns.set(target, truth) : columns;
}

/** Writes `forecastColumns` as a CSV file, whole or not at all. @throws CudnnGruError `ERR_FILE` */
export async function writeForecasts(
  path: string,
  model: Forecaster,
  table: Table,
  forecasts: Forecasts,
): Promise<void> {
  await writeCsv(path, forecastColumns(model, table, forecasts));
}
