import { type Table, writeCsv } from '../data/csv.js';
import { timeLabels, timesAfter, timesOf } from './calendar.js';
import { preprocessingOf } from './forecast_inputs.js';
import type { Forecaster } from './forecaster.js';

/** Forecasts behind windows: `starts` [windows], the others [windows, horizon], in the target's unit. */
export interface Forecasts {
  readonly starts: Int32Array;
  readonly forecasts: Float32Array;
  readonly truth?: Float32Array;
}

/**
 * Forecasts as the columns of a table with one row for each step of each forecast: when it was made (the window's last row), the step,
 * which row it is of, the forecast, and the truth where it is known. Rows are told by their times, or by their numbers from 1.
 */
export function forecastColumns(
  model: Forecaster,
  table: Table,
  { starts, forecasts, truth }: Forecasts,
): Map<string, string[] | number[] | Float32Array> {
  const { window, horizon, time, target } = preprocessingOf(model);
  const labels = rowLabels(table, time, horizon);
  const steps = Array.from(starts).flatMap((start) =>
    Array.from({ length: horizon }, (_, step) => ({ row: start + window + step, step })),
  );
  const columns = new Map<string, string[] | number[] | Float32Array>([
    ['made', steps.map(({ row, step }) => labels[row - step - 1] as string)],
    ['step', steps.map(({ step }) => step + 1)],
    [time ?? 'row', steps.map(({ row }) => labels[row] as string)],
    [`${target}_forecast`, forecasts],
  ]);
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

/** Labels of the table's rows and of the `extra` rows that would follow: times, or row numbers from 1. */
export function rowLabels(table: Table, time: string | null, extra: number): string[] {
  if (time === null) return Array.from({ length: table.rows + extra }, (_, row) => String(row + 1));
  const times = timesOf(table, time);
  return timeLabels(Float64Array.from([...times, ...timesAfter(times, extra)]));
}
