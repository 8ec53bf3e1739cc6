import { basename } from 'node:path';
import {
  checkInteger,
  checkOneOf,
  checkOptions,
  checkPositiveInteger,
  checkString,
  wrongKind,
  wrongRange,
} from '../../arguments.js';
import { Batches } from '../../data/batches.js';
import type { Table } from '../../data/csv.js';
import type { JsonValue } from '../../layers/module.js';
import { mae, pinball } from '../../losses/index.js';
import { checkLevels } from '../../metrics/forecasting.js';
import { Generator } from '../../tensor/generator.js';
import type { TrainingBatch, TrainingResult } from '../../training/types.js';
import {
  checkTraining,
  fitModel,
  type TaskTraining,
  type TaskTrainingOptions,
  taskTrainingOptions,
  trainingSummary,
} from '../training.js';
import { type Cycle, cycles, timeLabels } from './calendar.js';
import { fitMargins } from './calibrate.js';
import { evaluateRows, type ForecastEvaluation } from './evaluate_forecaster.js';
import { Forecaster } from './forecaster.js';
import { aheadCount, type ForecastPreprocessing, featureCount, fitScaling } from './preprocessing.js';
import { type SeriesTable, seriesTable } from './series.js';
import { type SeriesSplit, splitSeries } from './split.js';
import { decoderSize, ForecastDataset, ForecastWindows } from './windows.js';

/** What `trainForecaster` takes: the data, the model, the training. */
export interface TrainForecasterOptions extends TaskTrainingOptions {
  /** One row for each step of time, in rising order; of several series, beside or behind each other. */
  table: Table;
  /** The column to forecast. */
  target: string;
  /** Other columns that the model reads, known of the past only. Default: none. */
  inputs?: readonly string[];
  /** Columns that are known ahead (holidays, prices, a plan): the model also reads them in the rows that it forecasts. Default: none. */
  known?: readonly string[];
  /** The column of dates or times. Default: none. */
  time?: string;
  /** The column that names the series of each row; every series has a scale of its own. Default: all rows are of one series. */
  entity?: string;
  /** Cycles of the calendar whose phase the model reads. Default: the year if there is a time column. */
  calendar?: readonly Cycle[];
  /**
   * Rows of a season, for instance [24, 168] for hours with a daily and a weekly rhythm: for the baselines, the first of them for MASE; a
   * decoder also reads the target one season before. Default: none.
   */
  seasons?: readonly number[];
  /** Levels of quantiles to forecast, 0.5 among them, for instance [0.05, 0.5, 0.95] for a 90% interval. Default: none, only the target. */
  quantiles?: readonly number[];
  /** Whether a second GRU reads what is known of the rows to come: `known`, the calendar, the seasons. Default: with `known` or `seasons`. */
  decoder?: boolean;
  /** What the model's answers are added to: the window's last value, or the mean (for series such as returns). Default: 'change'. */
  targetMode?: 'change' | 'level';
  /** Rows of history that one forecast reads. Default: 60. */
  window?: number;
  /** Rows to forecast at once. Default: 7. */
  horizon?: number;
  /** The last rows, which training never sees: a share (below 1) or a number. Default: 0.2. */
  test?: number;
  /** The rows before those, which choose the epoch that is kept and the width of intervals: a share or a number. Default: 0.15. */
  validation?: number;
  /** Default: 32. */
  hiddenSize?: number;
  /** Default: 2. */
  numLayers?: number;
  /** Between the layers and before the output. Default: 0.2. */
  dropout?: number;
}

/** @internal */
export const trainForecasterOptions = [
  'table',
  'target',
  'inputs',
  'known',
  'time',
  'entity',
  'calendar',
  'seasons',
  'quantiles',
  'decoder',
  'targetMode',
  'window',
  'horizon',
  'test',
  'validation',
  'hiddenSize',
  'numLayers',
  'dropout',
  ...taskTrainingOptions,
];

/** A trained forecaster. */
export interface TrainedForecaster {
  /** With `preprocessing` and `summary`: ready for `saveModel` and `predict`. */
  model: Forecaster;
  result: TrainingResult;
  /** On the test rows; null without them, and when the training was aborted. */
  evaluation: ForecastEvaluation | null;
}

/**
 * Trains a `Forecaster` on the early rows of a table, keeps the epoch that is best on the rows behind them (validation), and evaluates it
 * on the last rows (test), which neither the scalers nor the training nor the choice of the epoch have seen.
 *
 * The loss is the mean absolute error of the scaled target, or the mean pinball loss of its quantiles; AdamW with a one-cycle schedule,
 * gradients clipped to norm 1. Validation then sets the margins of the quantiles.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a table that cannot be used; what `Trainer.fit` throws
 */
export async function trainForecaster(options: TrainForecasterOptions): Promise<TrainedForecaster> {
  checkOptions(options, 'options', trainForecasterOptions);
  const { validation = 0.15, test = 0.2 } = options;
  const training = checkTraining(options);
  const { batchSize, seed, device } = training;
  const question = questionOf(options);
  const rows = seriesTable(options.table, question);
  const split = splitSeries(rows, { window: question.window, horizon: question.horizon, validation, test });
  const preprocessing: ForecastPreprocessing = {
    ...question,
    scaling: fitScaling(rows, question, question.seasons, split.validationRows, split.testRows),
    trainedUntil: trainedUntil(rows, split),
  };
  const { quantiles } = preprocessing;
  const windows = new ForecastWindows(rows, preprocessing);
  const model = new Forecaster({
    inputSize: featureCount(preprocessing),
    horizon: preprocessing.horizon,
    outputSize: Math.max(1, quantiles.length),
    decoderSize: decoderSize(preprocessing),
    hiddenSize: options.hiddenSize ?? 32,
    numLayers: options.numLayers ?? 2,
    dropout: options.dropout ?? 0.2,
    device,
    generator: new Generator(seed),
  });
  model.preprocessing = preprocessing as unknown as JsonValue;
  const fit = {
    model,
    loss: ({ inputs, targets }: TrainingBatch) => {
      const answers = model.forward(inputs);
      // One level is a median, and of two of its pinball losses the mean absolute error is made.
      return quantiles.length > 1 ? pinball(answers, targets, { levels: quantiles }) : mae(answers, targets);
    },
    data: new Batches(new ForecastDataset(windows, split.train), { batchSize, shuffle: true, seed }),
    ...(split.validation.length > 0 && {
      validation: new Batches(new ForecastDataset(windows, split.validation), { batchSize: 256 }),
    }),
    training,
  };
  return fitModel(fit, async (result) => {
    const aborted = result.stopped === 'aborted';
    if (quantiles.length > 1 && split.validation.length > 0 && !aborted) {
      const margins = await fitMargins(model.compute, windows, split.validation);
      model.preprocessing = { ...preprocessing, margins } as unknown as JsonValue;
    }
    const evaluation =
      split.test.length > 0 && !aborted ? await evaluateRows(model, rows, split.testRows, preprocessing.horizon) : null;
    model.summary = summaryOf(options.table, training, split, result, evaluation);
    return { model, result, evaluation };
  });
}

// All of the preprocessing but what is fitted.
function questionOf(options: TrainForecasterOptions): Omit<ForecastPreprocessing, 'scaling' | 'trainedUntil'> {
  const { time = null, entity = null } = options;
  const target = checkString(options.target, 'target');
  const known = names(options.known, 'known');
  const inputs = [...new Set([target, ...names(options.inputs, 'inputs')])].filter((name) => !known.includes(name));
  if (known.includes(target)) throw wrongRange('known', 'columns other than the target', target);
  const calendar = [...new Set(options.calendar ?? (time === null ? [] : ['year' as const]))];
  for (const [i, cycle] of calendar.entries()) checkOneOf(cycle, `calendar[${i}]`, cycles);
  if (calendar.length > 0 && time === null) throw wrongKind('time', 'the column of times, as calendar needs it', time);
  const seasons = [...new Set(options.seasons ?? [])].sort((a, b) => a - b);
  for (const [i, season] of seasons.entries()) checkInteger(season, `seasons[${i}]`, { min: 2 });
  const window = checkPositiveInteger(options.window ?? 60, 'window');
  const horizon = checkPositiveInteger(options.horizon ?? 7, 'horizon');
  const question = {
    task: 'forecast' as const,
    target,
    inputs,
    known,
    time,
    entity,
    calendar,
    seasons,
    window,
    horizon,
    decoder: options.decoder ?? (known.length > 0 || seasons.some((season) => season <= window)),
    targetMode: checkOneOf(options.targetMode ?? 'change', 'targetMode', ['change', 'level']),
    ...quantilesOf(options.quantiles, horizon),
  };
  if (question.decoder && aheadCount({ ...question, scaling: [], trainedUntil: null }) === 0) {
    throw wrongRange(
      'decoder',
      'something that is known of the rows to come: known, calendar, or seasons within the window',
      true,
    );
  }
  if (!question.decoder && known.length > 0) throw wrongRange('decoder', 'true, as known columns need it', false);
  return question;
}

function quantilesOf(quantiles: readonly number[] | undefined, horizon: number) {
  if (quantiles === undefined) return { quantiles: [], margins: [] };
  checkLevels(quantiles, 'quantiles');
  if (!quantiles.includes(0.5)) throw wrongRange('quantiles', 'levels with 0.5 among them', quantiles);
  return { quantiles: [...quantiles], margins: new Array<number>(horizon * quantiles.length).fill(0) };
}

function names(list: readonly string[] | undefined, name: string): string[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw wrongKind(name, 'an array of column names', list);
  return [...new Set(list.map((column, i) => checkString(column, `${name}[${i}]`)))];
}

// The latest time before the test rows of any series.
function trainedUntil({ times, series }: SeriesTable, { testRows }: SeriesSplit): string | null {
  if (times === null) return null;
  const last = series.map(({ first }, i) =>
    (testRows[i] as number) > first ? (times[(testRows[i] as number) - 1] as number) : 0,
  );
  return timeLabels(Float64Array.of(Math.max(...last)))[0] as string;
}

// What a model file says about how the model came about: plain JSON.
function summaryOf(
  table: Table,
  training: TaskTraining,
  split: SeriesSplit,
  result: TrainingResult,
  evaluation: ForecastEvaluation | null,
): JsonValue {
  return {
    data: basename(table.source),
    windows: { training: split.train.length, validation: split.validation.length, test: split.test.length },
    ...trainingSummary(training, result),
    test: evaluation && {
      mae: [...evaluation.errors.mae],
      rmse: [...evaluation.errors.rmse],
      ...(evaluation.errors.quantiles && { coverage: evaluation.errors.quantiles.coverage }),
    },
  };
}
