import { basename } from 'node:path';
import { checkOneOf, checkOptions, checkPositiveInteger, checkString, wrongKind } from '../arguments.js';
import { Batches } from '../data/batches.js';
import { numericColumn, type Table } from '../data/csv.js';
import { splitWindows, type WindowSplit } from '../data/splits.js';
import { WindowDataset } from '../data/windows.js';
import type { JsonValue } from '../layers/module.js';
import { mae } from '../losses/index.js';
import { naiveScale } from '../metrics/forecasting.js';
import { Generator } from '../tensor/generator.js';
import type { TrainingBatch, TrainingResult } from '../training/types.js';
import { type Cycle, cycles, timeLabels, timesOf } from './calendar.js';
import { evaluateForecaster, type ForecastEvaluation } from './evaluate_forecaster.js';
import { type ForecastPreprocessing, featureCount, featuresOf, fitScalers, targetsOf } from './forecast_inputs.js';
import { Forecaster } from './forecaster.js';
import {
  checkTraining,
  fitModel,
  type TaskTraining,
  type TaskTrainingOptions,
  taskTrainingOptions,
  trainingSummary,
} from './training.js';

/** What `trainForecaster` takes: the data, the model, the training. */
export interface TrainForecasterOptions extends TaskTrainingOptions {
  /** The series, one row per step of time, in rising order. */
  table: Table;
  /** The column to forecast. */
  target: string;
  /** Other columns that the model reads. Default: none. */
  inputs?: readonly string[];
  /** The column of dates or times. Default: none. */
  time?: string;
  /** Cycles of the calendar whose phase the model reads. Default: the year if there is a time column. */
  calendar?: readonly Cycle[];
  /** Rows of history that one forecast reads. Default: 60. */
  window?: number;
  /** Rows to forecast. Default: 7. */
  horizon?: number;
  /** The last rows, which training never sees: a share (below 1) or a number. Default: 0.2. */
  test?: number;
  /** The rows before those, which choose the epoch that is kept: a share or a number. Default: 0.15. */
  validation?: number;
  /** Default: 32. */
  hiddenSize?: number;
  /** Default: 2. */
  numLayers?: number;
  /** Between the layers and before the output. Default: 0.2. */
  dropout?: number;
}

const optionNames = [
  'table',
  'target',
  'inputs',
  'time',
  'calendar',
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
 * The loss is the mean absolute error of the scaled changes; AdamW with a one-cycle schedule, gradients clipped to norm 1.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a table that cannot be used; what `Trainer.fit` throws
 */
export async function trainForecaster(options: TrainForecasterOptions): Promise<TrainedForecaster> {
  checkOptions(options, 'options', optionNames);
  const { table, validation = 0.15, test = 0.2 } = options;
  const training = checkTraining(options);
  const { batchSize, seed, device } = training;
  const window = checkPositiveInteger(options.window ?? 60, 'window');
  const horizon = checkPositiveInteger(options.horizon ?? 7, 'horizon');
  const split = splitWindows({ rows: table.rows, window, horizon, validation, test });
  const preprocessing = preprocessingFor(options, split, window, horizon);

  const model = new Forecaster({
    inputSize: featureCount(preprocessing),
    horizon,
    hiddenSize: options.hiddenSize ?? 32,
    numLayers: options.numLayers ?? 2,
    dropout: options.dropout ?? 0.2,
    device,
    generator: new Generator(seed),
  });
  model.preprocessing = preprocessing as unknown as JsonValue;

  const series = {
    inputs: { data: featuresOf(table, preprocessing), shape: [table.rows, featureCount(preprocessing)] },
    targets: targetsOf(table, preprocessing),
    window,
    horizon,
    targetMode: 'change',
  } as const;
  const data = new Batches(new WindowDataset({ ...series, starts: split.train }), { batchSize, shuffle: true, seed });
  const fit = {
    model,
    loss: ({ inputs, targets }: TrainingBatch) => mae(model.forward(inputs), targets),
    data,
    ...(validation > 0 && {
      validation: new Batches(new WindowDataset({ ...series, starts: split.validation }), { batchSize: 256 }),
    }),
    training,
  };
  return fitModel(fit, async (result) => {
    const aborted = result.stopped === 'aborted';
    const evaluation =
      test > 0 && !aborted ? await evaluateForecaster(model, table, { firstRow: split.testRow }) : null;
    model.summary = summaryOf(table, training, split, result, evaluation);
    return { model, result, evaluation };
  });
}

function preprocessingFor(
  options: TrainForecasterOptions,
  split: WindowSplit,
  window: number,
  horizon: number,
): ForecastPreprocessing {
  const { table, inputs = [], time = null } = options;
  const target = checkString(options.target, 'target');
  if (!Array.isArray(inputs)) throw wrongKind('inputs', 'an array of column names', inputs);
  const columns = [...new Set([target, ...inputs.map((name, i) => checkString(name, `inputs[${i}]`))])];
  const calendar = [...new Set(options.calendar ?? (time === null ? [] : ['year' as const]))];
  for (const [i, cycle] of calendar.entries()) checkOneOf(cycle, `calendar[${i}]`, cycles);
  if (calendar.length > 0 && time === null) throw wrongKind('time', 'the column of times, as calendar needs it', time);
  const times = time === null ? null : timesOf(table, time);
  const { inputScaler, targetScaler } = fitScalers(table, columns, split.validationRow);
  return {
    task: 'forecast',
    target,
    inputs: columns,
    time,
    calendar,
    window,
    horizon,
    inputScaler: inputScaler.toJSON(),
    targetScaler: targetScaler.toJSON(),
    naiveScale: naiveScale(numericColumn(table, target).subarray(0, split.testRow)),
    trainedUntil: times && (timeLabels(times)[split.testRow - 1] as string),
  };
}

// What a model file says about how the model came about: plain JSON.
function summaryOf(
  table: Table,
  training: TaskTraining,
  split: WindowSplit,
  result: TrainingResult,
  evaluation: ForecastEvaluation | null,
) {
  return {
    data: basename(table.source),
    windows: { training: split.train.length, validation: split.validation.length, test: split.test.length },
    ...trainingSummary(training, result),
    test: evaluation && { mae: [...evaluation.errors.mae], rmse: [...evaluation.errors.rmse] },
  };
}
