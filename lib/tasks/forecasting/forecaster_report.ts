import type { Table } from '../../data/csv.js';
import type { ForecastReport, MethodErrors } from '../../report/index.js';
import type { ForecastEvaluation, ForecastScores } from './evaluate_forecaster.js';
import { type ForecastPreprocessing, preprocessingOf } from './preprocessing.js';
import { type SeriesTable, seriesAt, seriesLabels, seriesTable } from './series.js';
import type { TrainedForecaster } from './train_forecaster.js';

/**
 * Writes one self-contained HTML file about a training: loss curves, forecasts against what came, errors by step, with quantiles fans and
 * how often they were right, the configuration. Of several series the pictures show the first.
 *
 * @param options unit of the target, for the axes; title
 * @throws CudnnGruError `ERR_FILE`
 */
export async function writeForecasterReport(
  path: string,
  trained: TrainedForecaster,
  table: Table,
  options: { unit?: string; title?: string } = {},
): Promise<void> {
  const { writeForecastReport } = await import('../../report/index.js');
  await writeForecastReport(path, reportOf(trained, table, options));
}

function reportOf(
  { model, result, evaluation }: TrainedForecaster,
  table: Table,
  { unit, title }: { unit?: string; title?: string },
): ForecastReport {
  const preprocessing = preprocessingOf(model);
  const { target, inputs, known, time, entity, calendar, seasons, window, horizon, quantiles, trainedUntil } =
    preprocessing;
  const rows = seriesTable(table, preprocessing);
  return {
    title: title ?? `Forecast of ${target}`,
    subtitle: `${horizon} ${horizon === 1 ? 'row' : 'rows'} ahead, from the last ${window}`,
    configuration: {
      model: model.architecture().options,
      data: { inputs, known, time, entity, calendar, seasons, window, horizon, quantiles, trainedUntil },
      training: model.summary,
    },
    history: result.history,
    target,
    ...(unit !== undefined && { unit }),
    errors: evaluation
      ? Object.entries({ GRU: evaluation.errors, ...evaluation.baselines }).map(([name, errors]) =>
          methodErrors(name, errors),
        )
      : [],
    forecast: evaluation ? forecastSeries(evaluation, rows, preprocessing) : { times: [], truth: [], predictions: [] },
    ...(evaluation?.quantiles && {
      quantiles: { levels: quantiles, fans: fansOf(evaluation, evaluation.quantiles, rows, preprocessing) },
    }),
    ...(evaluation && {
      notes: [
        'The rows behind the errors and the forecasts had no part in the training, in the scaling or in the choice of the epoch.',
        ...(entity === null ? [] : [`The errors are those of all series; the pictures show ${rows.series[0]?.name}.`]),
      ],
    }),
  };
}

function methodErrors(name: string, { mae, rmse, mase = [], smape, quantiles }: ForecastScores): MethodErrors {
  const { crps, below, coverage } = quantiles ?? {};
  return { name, mae, rmse, mase, smape, ...(crps !== undefined && { crps, coverage, below }) };
}

// Every forecast row of the first series once, with the forecasts made one step and the whole horizon before.
function forecastSeries(
  evaluation: ForecastEvaluation,
  rows: SeriesTable,
  { window, quantiles: levels }: ForecastPreprocessing,
) {
  const { starts, horizon, forecasts, truth, quantiles } = evaluation;
  const series = seriesAt(rows, starts[0] as number);
  const windows = starts.findLastIndex((start) => start < series.end) + 1;
  const labels = seriesLabels(rows, series, 0);
  const first = (starts[0] as number) - series.first + window;
  const all = Array.from({ length: windows + horizon - 1 }, (_, row) => row);
  // Row r is step k of the window r - k.
  const at = (values: Float32Array, row: number, step: number, of = 1, which = 0) => {
    const from = row - step;
    return from < 0 || from >= windows ? null : (values[(from * horizon + step) * of + which] as number);
  };
  const quantile = (ahead: number, which: number) =>
    all.map((row) => at(quantiles as Float32Array, row, ahead - 1, levels.length, which));
  return {
    times: all.map((row) => labels[first + row] as string),
    truth: all.map((row) => at(truth, row, Math.max(0, row - windows + 1)) as number),
    predictions: [...new Set([1, horizon])].map((ahead) => ({
      horizon: ahead,
      values: all.map((row) => at(forecasts, row, ahead - 1)),
      ...(quantiles && levels.length > 1 && { low: quantile(ahead, 0), high: quantile(ahead, levels.length - 1) }),
    })),
  };
}

// Forecasts with all their quantiles behind some rows of history: of the first series, the first, middle and last one.
function fansOf(
  { starts, horizon, forecasts, truth }: ForecastEvaluation,
  quantiles: Float32Array,
  rows: SeriesTable,
  { target, window, quantiles: levels }: ForecastPreprocessing,
) {
  const series = seriesAt(rows, starts[0] as number);
  const last = starts.findLastIndex((start) => start < series.end);
  const labels = seriesLabels(rows, series, 0);
  const values = rows.columns.get(target) as Float64Array;
  const shown = Math.min(window, Math.max(2 * horizon, 14));
  return [...new Set([0, Math.floor(last / 2), last])].map((i) => {
    const made = (starts[i] as number) + window;
    return {
      times: labels.slice(made - series.first - shown, made - series.first + horizon),
      history: [...values.slice(made - shown, made)],
      truth: [...truth.slice(i * horizon, (i + 1) * horizon)],
      median: [...forecasts.slice(i * horizon, (i + 1) * horizon)],
      quantiles: Array.from({ length: horizon }, (_, step) => {
        const from = (i * horizon + step) * levels.length;
        return [...quantiles.slice(from, from + levels.length)];
      }),
    };
  });
}
