import type { Table } from '../data/csv.js';
import type { ForecastErrors } from '../metrics/forecasting.js';
import type { ForecastReport, MethodErrors } from '../report/index.js';
import type { ForecastEvaluation } from './evaluate_forecaster.js';
import { rowLabels } from './forecast_csv.js';
import { preprocessingOf } from './forecast_inputs.js';
import type { TrainedForecaster } from './train_forecaster.js';

/**
 * Writes one self-contained HTML file about a training: loss curves, forecasts against what came, errors by step, the configuration.
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
  const { writeForecastReport } = await import('../report/index.js');
  await writeForecastReport(path, reportOf(trained, table, options));
}

function reportOf(
  { model, result, evaluation }: TrainedForecaster,
  table: Table,
  { unit, title }: { unit?: string; title?: string },
): ForecastReport {
  const { target, inputs, time, calendar, window, horizon, trainedUntil } = preprocessingOf(model);
  return {
    title: title ?? `Forecast of ${target}`,
    subtitle: `${horizon} rows ahead, from the last ${window}`,
    configuration: {
      model: model.architecture().options,
      data: { inputs, time, calendar, window, horizon, trainedUntil },
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
    forecast: evaluation
      ? forecastSeries(evaluation, rowLabels(table, time, 0), window, horizon)
      : { times: [], truth: [], predictions: [] },
    ...(evaluation && {
      notes: [
        'The rows behind the errors and the forecasts had no part in the training, in the scaling or in the choice of the epoch.',
      ],
    }),
  };
}

function methodErrors(name: string, { mae, rmse, mase = [] }: ForecastErrors): MethodErrors {
  return { name, mae, rmse, mase };
}

// Every forecast row once, with the forecasts made one step and the whole horizon before.
function forecastSeries(
  { starts, forecasts, truth }: ForecastEvaluation,
  labels: string[],
  window: number,
  horizon: number,
) {
  const windows = starts.length;
  const first = (starts[0] as number) + window;
  const rows = Array.from({ length: windows + horizon - 1 }, (_, row) => row);
  // Row r is step k of the window r - k.
  const at = (values: Float32Array, row: number, step: number) => {
    const from = row - step;
    return from < 0 || from >= windows ? null : (values[from * horizon + step] as number);
  };
  return {
    times: rows.map((row) => labels[first + row] as string),
    truth: rows.map((row) => at(truth, row, Math.max(0, row - windows + 1)) as number),
    predictions: [...new Set([1, horizon])].map((ahead) => ({
      horizon: ahead,
      values: rows.map((row) => at(forecasts, row, ahead - 1)),
    })),
  };
}
