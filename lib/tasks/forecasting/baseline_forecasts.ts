import { quantiles } from '../../metrics/forecasting.js';
import { baselines } from '../../training/baselines.js';
import type { ForecastPreprocessing } from './preprocessing.js';
import type { SeriesTable } from './series.js';

/** What one method forecasts: [windows, horizon], and [windows, horizon, levels] or null. */
export interface BaselineForecasts {
  readonly forecasts: ArrayLike<number>;
  readonly quantiles: Float64Array | Float32Array | null;
}

// Forecasts before the first that is scored, whose errors make a baseline's quantiles.
const calibrationRows = 500;

/**
 * The baselines' forecasts behind windows, those of all series behind each other. Each series' baselines are fitted on its own rows before
 * the first that is forecast; their quantiles are the forecast plus the quantiles of the errors, step by step, of forecasts made and over
 * before it. A baseline that any series is too short for is left out.
 *
 * @param starts the first rows of the windows of each series
 */
export function forecastBaselines(
  rows: SeriesTable,
  preprocessing: ForecastPreprocessing,
  starts: readonly (readonly number[])[],
  horizon: number,
  levels: readonly number[],
): Record<string, BaselineForecasts> {
  const { target, window, seasons } = preprocessing;
  const found = rows.series.flatMap(({ first, known }, i) => {
    const firstRows = (starts[i] as readonly number[]).map((start) => start + window - first);
    if (firstRows.length === 0) return [];
    const values = (rows.columns.get(target) as Float64Array).subarray(first, known);
    const series = { values, times: rows.times?.subarray(first, known) ?? null, seasons, horizon };
    const trainingRows = firstRows[0] as number;
    const forecasts = baselines({ ...series, trainingRows, firstRows });
    if (levels.length === 0) return [withoutQuantiles(forecasts)];
    const before = Math.min(calibrationRows, Math.floor((trainingRows - horizon) / 2));
    if (before < 1) return [withoutQuantiles(forecasts)];
    const earlier = Array.from({ length: before }, (_, row) => trainingRows - horizon - before + 1 + row);
    const tried = baselines({ ...series, trainingRows: earlier[0] as number, firstRows: earlier });
    return [
      Object.fromEntries(
        Object.entries(forecasts).map(([name, own]) => {
          const errors = tried[name] && errorsOf(tried[name], values, earlier, horizon);
          return [name, { forecasts: own, quantiles: errors ? quantilesOf(own, errors, horizon, levels) : null }];
        }),
      ),
    ];
  });
  const names = Object.keys(found[0] ?? {}).filter((name) => found.every((one) => name in one));
  return Object.fromEntries(
    names.map((name) => {
      const all = found.map((one) => one[name] as { forecasts: Float64Array; quantiles: Float64Array | null });
      const quantiles = all.map((one) => one.quantiles);
      return [
        name,
        {
          forecasts: joined(all.map((one) => one.forecasts)),
          quantiles: quantiles.every((one) => one !== null) ? joined(quantiles) : null,
        },
      ];
    }),
  );
}

function withoutQuantiles(forecasts: Record<string, Float64Array>) {
  return Object.fromEntries(
    Object.entries(forecasts).map(([name, own]) => [name, { forecasts: own, quantiles: null as Float64Array | null }]),
  );
}

// For each step, what came minus the forecast: [horizon][forecasts].
function errorsOf(
  forecasts: Float64Array,
  values: Float64Array,
  firstRows: readonly number[],
  horizon: number,
): Float64Array[] {
  return Array.from({ length: horizon }, (_, step) =>
    Float64Array.from(
      firstRows,
      (row, i) => (values[row + step] as number) - (forecasts[i * horizon + step] as number),
    ),
  );
}

function quantilesOf(
  forecasts: Float64Array,
  errors: readonly Float64Array[],
  horizon: number,
  levels: readonly number[],
): Float64Array {
  const shifts = errors.map((of) => quantiles(of, levels));
  return Float64Array.from({ length: forecasts.length * levels.length }, (_, at) => {
    const row = Math.floor(at / levels.length);
    return (forecasts[row] as number) + (shifts[row % horizon]?.[at % levels.length] as number);
  });
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
