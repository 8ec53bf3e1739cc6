import type { ForecastErrors } from '../metrics/forecasting.js';
import type { ForecastEvaluation } from './evaluate_forecaster.js';
import { preprocessingOf } from './forecast_inputs.js';
import type { Forecaster } from './forecaster.js';

/** An evaluation as text: one block for each measure, one line for the model and each baseline, one column for each step. */
export function evaluationTable({ starts, errors, baselines }: ForecastEvaluation, model: Forecaster): string {
  const { target, horizon } = preprocessingOf(model);
  const shown = Object.entries({ GRU: errors, ...baselines });
  const measures = [
    ['MAE', ({ mae, meanMae }: ForecastErrors) => [...mae, meanMae]],
    ['RMSE', ({ rmse, meanRmse }: ForecastErrors) => [...rmse, meanRmse]],
    ['MASE', ({ mase, meanMase }: ForecastErrors) => (mase ? [...mase, meanMase as number] : null)],
  ] as const;
  const nameWidth = Math.max(...shown.map(([name]) => name.length)) + 2;
  const cell = (text: string) => text.padStart(7);
  const steps = Array.from({ length: horizon }, (_, step) => cell(String(step + 1))).join('');
  const out = [`${target}: ${starts.length} forecasts of ${horizon} rows; columns are the steps ahead`];
  for (const [measure, values] of measures) {
    const lines = shown.flatMap(([name, one]) => {
      const numbers = values(one);
      return numbers ? [`  ${name}`.padEnd(nameWidth) + numbers.map((value) => cell(value.toFixed(2))).join('')] : [];
    });
    if (lines.length > 0)
      out.push('', `${measure.padEnd(nameWidth)}${steps}${cell(horizon > 1 ? 'all' : '')}`, ...lines);
  }
  return out.map((line) => line.trimEnd()).join('\n');
}
