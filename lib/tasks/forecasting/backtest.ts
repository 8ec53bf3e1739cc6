import { checkOptions, checkPositiveInteger, given, wrongRange } from '../../arguments.js';
import type { Table } from '../../data/csv.js';
import { partSize } from '../../data/splits.js';
import { CudnnGruError } from '../../errors.js';
import type { ForecastEvaluation, ForecastScores } from './evaluate_forecaster.js';
import { preprocessingOf } from './preprocessing.js';
import { seriesTable } from './series.js';
import { type TrainForecasterOptions, trainForecaster, trainForecasterOptions } from './train_forecaster.js';

export interface BacktestOptions extends Omit<TrainForecasterOptions, 'checkpoint' | 'checkpointEvery' | 'resume'> {
  /** How many times the model is trained anew. Default: 4. */
  folds?: number;
}

/** One training of a backtest. */
export interface BacktestFold {
  /** The time of the last row that training or validation saw; null without times. */
  readonly trainedUntil: string | null;
  /** Rows of the table that the fold knows, those of its test among them. */
  readonly rows: number;
  readonly evaluation: ForecastEvaluation;
}

/** Measures over all forecasts of all folds. */
export interface BacktestScores {
  readonly meanMae: number;
  readonly meanRmse: number;
  /** Absent for a constant target. */
  readonly meanMase?: number;
  /** Where quantiles were forecast. */
  readonly crps?: number;
  readonly coverage?: number;
}

export interface Backtest {
  /** From the earliest end of the data to the last. */
  readonly folds: readonly BacktestFold[];
  readonly errors: BacktestScores;
  /** The baselines that every fold has. */
  readonly baselines: Readonly<Record<string, BacktestScores>>;
}

/**
 * Evaluates with a rolling origin: the training as `trainForecaster` does it, at `folds` ends of the data, each `test` rows after the one
 * before. The test rows of all folds so are the last `folds · test` rows, each forecast by a model that was trained on all rows before its
 * fold's test. The last fold is the training that `trainForecaster` would do (L. J. Tashman, "Out-of-sample tests of forecasting accuracy",
 * 2000).
 *
 * @throws as `trainForecaster`; `ERR_DATA` when the earliest fold has too few rows. An abort ends it with the reason of the signal.
 */
export async function backtestForecaster(options: BacktestOptions): Promise<Backtest> {
  const own = trainForecasterOptions.filter((name) => !['checkpoint', 'checkpointEvery', 'resume'].includes(name));
  checkOptions(options, 'options', [...own, 'folds']);
  const { folds: count = 4, ...training } = options;
  checkPositiveInteger(count, 'folds');
  const { table, target, time = null, entity = null } = training;
  const rows = seriesTable(table, { target, inputs: [target], known: [], time, entity });
  const longest = rows.series.reduce((most, { first, known }) => Math.max(most, known - first), 0);
  const test = partSize(longest, training.test ?? 0.2, 'test');
  const validation = partSize(longest, training.validation ?? 0.15, 'validation');
  if (test === 0) throw wrongRange('test', 'at least one row', training.test);
  if (count * test >= longest) {
    const wanted = `${count} folds of ${test} rows`;
    throw new CudnnGruError('ERR_DATA', `${table.source}: a series of ${longest} rows is too short for ${wanted}`);
  }
  const folds: BacktestFold[] = [];
  for (let fold = count - 1; fold >= 0; fold--) {
    const known = beforeTheEnd(table, rows, fold * test);
    const { model, result, evaluation } = await trainForecaster({ ...training, table: known, test, validation });
    const { trainedUntil } = preprocessingOf(model);
    model.dispose();
    if (result.stopped === 'aborted' || evaluation === null) throw training.signal?.reason;
    folds.push({ trainedUntil, rows: known.rows, evaluation });
  }
  const names = Object.keys(folds[0]?.evaluation.baselines ?? {}).filter((name) =>
    folds.every(({ evaluation }) => name in evaluation.baselines),
  );
  return {
    folds,
    errors: over(folds, ({ errors }) => errors),
    baselines: Object.fromEntries(
      names.map((name) => [name, over(folds, ({ baselines }) => baselines[name] as ForecastScores)]),
    ),
  };
}

// The table without the last `count` rows that hold the target, of each series; by the time of the longest where there are times.
function beforeTheEnd(table: Table, { series, times, order }: ReturnType<typeof seriesTable>, count: number): Table {
  const longest = series.reduce((a, b) => (b.known - b.first > a.known - a.first ? b : a));
  const end = times && count > 0 ? (times[longest.known - count] as number) : Number.POSITIVE_INFINITY;
  const kept = series.flatMap(({ first, known }) =>
    Array.from({ length: known - first }, (_, i) => first + i).filter((row) =>
      times ? (times[row] as number) < end : row < known - count,
    ),
  );
  const rows = Int32Array.from(kept, (row) => order[row] as number).sort();
  const columns = Array.from(table.columns, ([name, column]) => {
    const cells = Array.from(rows, (row) => column[row] as number | string);
    return [name, column instanceof Float64Array ? Float64Array.from(cells as number[]) : (cells as string[])] as const;
  });
  return { ...table, rows: rows.length, columns: new Map(columns) };
}

// Every forecast counts alike.
function over(
  folds: readonly BacktestFold[],
  scoresOf: (evaluation: ForecastEvaluation) => ForecastScores,
): BacktestScores {
  const mean = (of: (scores: ForecastScores) => number | undefined) => {
    const values = folds.map(({ evaluation }) => [of(scoresOf(evaluation)), evaluation.truth.length] as const);
    if (values.some(([value]) => value === undefined)) return undefined;
    const count = values.reduce((sum, [, length]) => sum + length, 0);
    return values.reduce((sum, [value, length]) => sum + ((value as number) * length) / count, 0);
  };
  return {
    meanMae: mean(({ meanMae }) => meanMae) as number,
    meanRmse: Math.sqrt(mean(({ meanRmse }) => meanRmse ** 2) as number),
    ...given({
      meanMase: mean(({ meanMase }) => meanMase),
      crps: mean(({ quantiles }) => quantiles?.crps),
      coverage: mean(({ quantiles }) => quantiles?.coverage),
    }),
  };
}
