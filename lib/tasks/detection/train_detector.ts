import { checkInteger, checkNumber, checkOptions, checkPositiveInteger, given } from '../../arguments.js';
import { ArrayDataset } from '../../data/array_dataset.js';
import { Batches } from '../../data/batches.js';
import type { Table } from '../../data/csv.js';
import { fitStandardScaler } from '../../data/scalers.js';
import { CudnnGruError } from '../../errors.js';
import type { JsonValue } from '../../layers/module.js';
import { mse } from '../../losses/index.js';
import { Generator } from '../../tensor/generator.js';
import type { TrainingBatch, TrainingResult } from '../../training/types.js';
import {
  checkTraining,
  fitModel,
  type TaskTrainingOptions,
  taskTrainingOptions,
  trainingSummary,
} from '../training.js';
import { calibrateDetector } from './calibrate_detector.js';
import { type DetectionSeries, detectionSeries, scaledRows } from './detection_series.js';
import { AnomalyDetector, type AnomalyDetectorOptions } from './detector.js';
import { type DetectorEvaluation, evaluateDetector } from './evaluate_detector.js';

/** What `trainDetector` takes: the data, the model, the training. */
export interface TrainDetectorOptions
  extends Omit<AnomalyDetectorOptions, 'inputSize' | 'device' | 'generator'>,
    TaskTrainingOptions {
  /** Rows in the order of time; what the model takes for normal. */
  table: Table;
  /** The columns that the model reads. */
  inputs: readonly string[];
  /** The column that tells one series from the other. Default: none, there is but one. */
  entity?: string;
  /** A column that is above 0 in rows that are known to be anomalous; they are left out. Default: none. */
  label?: string;
  /** Rows of a training example; with `reconstruct` also of what is reconstructed. Default: 32. */
  window?: number;
  /** The last share of each series, that has no part in the training. Default: 0. */
  test?: number;
  /** The last share of what is left, on which the epoch, the scale of the errors and the threshold are chosen. Default: 0.3. */
  validation?: number;
  /** The share of normal validation rows that stays below the threshold. Default: 0.999. */
  quantile?: number;
  /**
   * Strange rows, one after the other, that are replaced by what was expected, as in `scoreRows`; only with `forecast`. Default: chosen where
   * anomalies are labelled, else half a window.
   */
  hold?: number;
  /** Rows are held whose score, before smoothing, is above this many times that of normal rows at `quantile`. Default: 1. */
  gateFactor?: number;
  /** Rows over which scores are smoothed, as in `scoreRows`. Less for anomalies of few rows. Default: chosen where some are labelled, else 8; with `reconstruct` 0. */
  smoothing?: number;
  /** Rows over which the spread of a series' own errors is followed, as in `scoreRows`; 0: never. Default: 256. */
  adaptation?: number;
  /** The highest rate of the one-cycle schedule. Default: 0.005. */
  learningRate?: number;
}

const optionNames = [
  'table',
  'inputs',
  'entity',
  'label',
  'method',
  'hiddenSize',
  'numLayers',
  'dropout',
  'window',
  'test',
  'validation',
  'quantile',
  'hold',
  'gateFactor',
  'smoothing',
  'adaptation',
  ...taskTrainingOptions,
];

/** A trained detector. */
export interface TrainedDetector {
  /** With `preprocessing` and `summary`: ready for `saveModel`, `scoreRows` and `DetectionStream`. */
  model: AnomalyDetector;
  result: TrainingResult;
  /** On the test rows; null without them or without labels, and when the training was aborted. */
  evaluation: DetectorEvaluation | null;
}

/**
 * Teaches an `AnomalyDetector` what is normal: on windows of the early rows of each series, with the mean squared error as loss. On the
 * later rows it keeps the best epoch, measures how large the errors of normal rows are, and sets the threshold at a quantile of their
 * scores. Rows with a label are left out of all of it, and so are the windows that hold one. Where some of the later rows are labelled, it
 * chooses `hold` (0, half a window, one or four) and `smoothing` (0, 4, 8, 16 or 32), when they are not given, by what finds these best.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` when too few rows are left; what `Trainer.fit` throws
 */
export async function trainDetector(options: TrainDetectorOptions): Promise<TrainedDetector> {
  checkOptions(options, 'options', optionNames);
  const { table, inputs, entity = null, label = null } = options;
  const training = checkTraining(options, { learningRate: 5e-3 });
  const { batchSize, seed, device } = training;
  const window = checkPositiveInteger(options.window ?? 32, 'window');
  const share = checkNumber(options.validation ?? 0.3, 'validation', { above: 0, below: 1 });
  const quantile = checkNumber(options.quantile ?? 0.999, 'quantile', { above: 0, max: 1 });
  const test = checkNumber(options.test ?? 0, 'test', { min: 0, below: 1 });
  const { hold, smoothing } = options;
  const forecasts = (options.method ?? 'forecast') === 'forecast';
  if (hold !== undefined) checkInteger(hold, 'hold', { min: 0, ...(!forecasts && { max: 0 }) });
  const gateFactor = checkNumber(options.gateFactor ?? 1, 'gateFactor', { above: 0 });
  if (smoothing !== undefined) checkNumber(smoothing, 'smoothing', { min: 0 });
  const adaptation = checkInteger(options.adaptation ?? 256, 'adaptation', { min: 0 });
  const series = detectionSeries(table, { inputs, entity, label }).map((one) => firstRows(one, test, inputs.length));
  const scaler = fitStandardScaler(normalRows(series, share, inputs.length), inputs.length).toJSON();
  const parts = windowsOf(series, { scaler }, window, share, inputs.length);
  const { method, hiddenSize, numLayers, dropout } = options;
  const model = new AnomalyDetector({
    inputSize: inputs.length,
    ...given({ method, hiddenSize, numLayers, dropout }),
    device,
    generator: new Generator(seed),
  });
  const data = new Batches(datasetOf(parts.train, window, inputs.length), { batchSize, shuffle: true, seed });
  const validation = new Batches(datasetOf(parts.validation, window, inputs.length), { batchSize: 256 });
  const loss = ({ inputs: x }: TrainingBatch) => {
    const { expected } = model.forward(x);
    // Of the first row nothing is known.
    return forecasts && window > 1 ? mse(expected.slice(1, 1), x.slice(1, 1)) : mse(expected, x);
  };
  return fitModel({ model, loss, data, validation, training }, async (result) => {
    if (result.stopped !== 'aborted') {
      const boundary = (rows: number) => validationRow(rows, share);
      const settings = { scaler, window, hold, gateFactor, smoothing, adaptation, quantile, boundary };
      model.preprocessing = {
        task: 'detect',
        inputs: [...inputs],
        entity,
        scaler,
        window,
        adaptation,
        ...(await calibrateDetector(model, series, settings)),
      } as unknown as JsonValue;
    }
    model.summary = {
      windows: { training: parts.train.length, validation: parts.validation.length },
      ...trainingSummary(training, result),
    };
    const evaluated = test > 0 && label !== null && result.stopped !== 'aborted';
    const evaluation = evaluated ? await evaluateDetector(model, table, { label, from: 1 - test }) : null;
    return { model, result, evaluation };
  });
}

// Where `evaluateDetector` begins, the training ends.
function firstRows(series: DetectionSeries, test: number, features: number): DetectionSeries {
  const rows = Math.round((1 - test) * series.tableRows.length);
  return {
    ...series,
    tableRows: series.tableRows.subarray(0, rows),
    values: series.values.subarray(0, rows * features),
    labels: series.labels?.subarray(0, rows) ?? null,
  };
}

const validationRow = (rows: number, share: number) => rows - Math.round(share * rows);

// The unlabelled rows that training may see: [rows, features].
function normalRows(series: readonly DetectionSeries[], share: number, features: number): Float64Array {
  const rows = series.flatMap(({ values, labels, tableRows }) =>
    Array.from({ length: validationRow(tableRows.length, share) }, (_, row) => row)
      .filter((row) => labels?.[row] !== 1)
      .map((row) => values.subarray(row * features, (row + 1) * features)),
  );
  if (rows.length < 2)
    throw new CudnnGruError('ERR_DATA', 'the training needs at least two rows that are not labelled');
  const out = new Float64Array(rows.length * features);
  for (const [i, row] of rows.entries()) out.set(row, i * features);
  return out;
}

// Windows without a labelled row, of the early and of the later rows; every row begins a training window, windows of validation do not overlap.
function windowsOf(
  series: readonly DetectionSeries[],
  scaling: Parameters<typeof scaledRows>[1],
  window: number,
  share: number,
  features: number,
): { train: Float32Array[]; validation: Float32Array[] } {
  const train: Float32Array[] = [];
  const validation: Float32Array[] = [];
  for (const one of series) {
    const rows = scaledRows(one, scaling);
    const boundary = validationRow(one.tableRows.length, share);
    const clean = (start: number) => !one.labels?.subarray(start, start + window).includes(1);
    const at = (start: number) => rows.subarray(start * features, (start + window) * features);
    for (let start = 0; start + window <= boundary; start++) if (clean(start)) train.push(at(start));
    for (let start = boundary; start + window <= one.tableRows.length; start += window) {
      if (clean(start)) validation.push(at(start));
    }
  }
  if (train.length === 0 || validation.length === 0) {
    throw new CudnnGruError(
      'ERR_DATA',
      `no window of ${window} normal rows is left for ${train.length === 0 ? 'training' : 'validation'}`,
    );
  }
  return { train, validation };
}

function datasetOf(windows: readonly Float32Array[], window: number, features: number): ArrayDataset {
  const data = new Float32Array(windows.length * window * features);
  for (const [i, one] of windows.entries()) data.set(one, i * window * features);
  const inputs = { data, shape: [windows.length, window, features] };
  // The loss compares the model's answer with its input; targets have no part in it.
  return new ArrayDataset({ inputs, targets: new Float32Array(windows.length) });
}
