import { spread } from '../../report/numbers.js';
import type { Backtest, BacktestScores } from './backtest.js';
import type { ForecastEvaluation, ForecastScores } from './evaluate_forecaster.js';
import type { Forecaster } from './forecaster.js';
import { preprocessingOf } from './preprocessing.js';

/** An evaluation as text: one line for the model and each baseline, one column for each measure; then the MAE of single steps. */
export function evaluationTable({ starts, horizon, errors, baselines }: ForecastEvaluation, model: Forecaster): string {
  const { target, quantiles: levels } = preprocessingOf(model);
  const methods = Object.entries({ GRU: errors, ...baselines });
  const interval =
    levels.length > 1 ? `in ${Math.round(100 * ((levels.at(-1) as number) - (levels[0] as number)))}%` : '';
  const measures: [string, (scores: ForecastScores) => string | undefined][] = [
    ['MAE', ({ meanMae }) => significant(meanMae)],
    ['RMSE', ({ meanRmse }) => significant(meanRmse)],
    ['MASE', ({ meanMase }) => meanMase?.toFixed(3)],
    ['sMAPE', ({ meanSmape }) => `${meanSmape.toFixed(2)}%`],
    ['CRPS', ({ quantiles }) => quantiles && significant(quantiles.crps)],
    [interval, ({ quantiles }) => quantiles && interval && `${(100 * quantiles.coverage).toFixed(1)}%`],
    ['width', ({ quantiles }) => quantiles && interval && significant(quantiles.width)],
  ];
  const shown = measures.filter(([, of]) => methods.some(([, scores]) => of(scores)));
  const summary = methods.map(([name, scores]) => [`  ${name}`, ...shown.map(([, of]) => of(scores) ?? '')]);
  const lines = [
    `${target}: ${starts.length} forecasts of ${horizon} ${horizon === 1 ? 'row' : 'rows'}`,
    '',
    aligned([['all steps', ...shown.map(([name]) => name)], ...summary]),
  ];
  if (horizon > 1) {
    const steps = spread(horizon, 12);
    const rows = methods.map(([name, { mae }]) => [
      `  ${name}`,
      ...steps.map((step) => significant(mae[step] as number)),
    ]);
    lines.push('', aligned([['MAE, rows ahead', ...steps.map((step) => String(step + 1))], ...rows]));
  }
  return lines.join('\n');
}

/** A backtest as text: the MAE of the model and each baseline in each fold, and what they have over all folds. */
export function backtestTable({ folds, errors, baselines }: Backtest): string {
  const methods = Object.entries({ GRU: errors, ...baselines });
  const measures: [string, (scores: BacktestScores) => string | undefined][] = [
    ['all', ({ meanMae }) => significant(meanMae)],
    ['MASE', ({ meanMase }) => meanMase?.toFixed(3)],
    ['CRPS', ({ crps }) => (crps === undefined ? crps : significant(crps))],
    ['covered', ({ coverage }) => (coverage === undefined ? coverage : `${(100 * coverage).toFixed(1)}%`)],
  ];
  const shown = measures.filter(([, of]) => methods.some(([, scores]) => of(scores)));
  const head = ['MAE until', ...folds.map(({ trainedUntil, rows }) => trainedUntil ?? `row ${rows}`)];
  const lines = methods.map(([name, scores]) => [
    `  ${name}`,
    ...folds.map(({ evaluation }) => {
      const own = name === 'GRU' ? evaluation.errors : evaluation.baselines[name];
      return own ? significant(own.meanMae) : '';
    }),
    ...shown.map(([, of]) => of(scores) ?? ''),
  ]);
  const title = `Backtest: the model trained anew at ${folds.length} ends of the data`;
  return `${title}\n\n${aligned([[...head, ...shown.map(([name]) => name)], ...lines])}`;
}

// Four figures at least, no exponents: 1234, 123.4, 0.01234.
function significant(value: number): string {
  const size = Math.abs(value);
  const decimals = size > 0 && Number.isFinite(size) ? Math.min(8, Math.max(0, 3 - Math.floor(Math.log10(size)))) : 2;
  return value.toFixed(decimals);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] as readonly string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
