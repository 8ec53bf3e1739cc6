import { checkNumber, checkOptions, checkPositiveInteger, given } from '../../arguments.js';
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
import { type DetectionSeries, detectionSeries, scaledRows } from './detection_series.js';
import { AnomalyDetector, type AnomalyDetectorOptions } from './detector.js';
import { errorsOf, scoresOf } from './score_rows.js';

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
  /** The last share of each series, on which the epoch, the scale of the errors and the threshold are chosen. Default: 0.3. */
  validation?: number;
  /** The share of normal validation rows that stays below the threshold. Default: 0.999. */
  quantile?: number;
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
  'validation',
  'quantile',
  ...taskTrainingOptions,
];

/** A trained detector. */
export interface TrainedDetector {
  /** With `preprocessing` and `summary`: ready for `saveModel`, `scoreRows` and `DetectionStream`. */
  model: AnomalyDetector;
  result: TrainingResult;
}

/**
 * Teaches an `AnomalyDetector` what is normal: on windows of the early rows of each series, with the mean squared error as loss. On the
 * later rows it keeps the best epoch, measures how large the errors of normal rows are, and sets the threshold at a quantile of their
 * scores. Rows with a label are left out of all of it, and so are the windows that hold one.
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
  const series = detectionSeries(table, { inputs, entity, label });
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
  const loss = ({ inputs: x }: TrainingBatch) => mse(model.forward(x).expected, x);
  return fitModel({ model, loss, data, validation, training }, async (result) => {
    if (result.stopped !== 'aborted') {
      const errors = await validationErrors(model, series, { scaler }, window, share);
      const errorScale = deviations(errors, inputs.length);
      const scores = scoresOf(errors, { errorScale }).sort();
      const threshold = scores[Math.min(scores.length - 1, Math.ceil(quantile * scores.length) - 1)] as number;
      model.preprocessing = {
        task: 'detect',
        inputs: [...inputs],
        entity,
        scaler,
        errorScale,
        window,
        threshold,
      } as unknown as JsonValue;
    }
    model.summary = {
      windows: { training: parts.train.length, validation: parts.validation.length },
      ...trainingSummary(training, result),
    };
    return { model, result };
  });
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

// Errors of the normal validation rows, read as the detector will be: with what came before. [rows, features]
async function validationErrors(
  model: AnomalyDetector,
  series: readonly DetectionSeries[],
  scaling: Parameters<typeof scaledRows>[1],
  window: number,
  share: number,
): Promise<Float32Array> {
  const features = model.gru.inputSize;
  const kept: number[] = [];
  for (const one of series) {
    const errors = await errorsOf(model, scaledRows(one, scaling), window);
    for (let row = validationRow(one.tableRows.length, share); row < one.tableRows.length; row++) {
      // An anomaly is still in the state, or in the window, for a while.
      if (one.labels?.subarray(Math.max(0, row - window), row + 1).includes(1)) continue;
      for (let f = 0; f < features; f++) kept.push(errors[row * features + f] as number);
    }
  }
  return Float32Array.from(kept);
}

// Root mean square of each feature's errors, at least a thousandth of the feature's own deviation.
function deviations(errors: Float32Array, features: number): number[] {
  const sums = new Array<number>(features).fill(0);
  for (const [i, error] of errors.entries()) sums[i % features] = (sums[i % features] as number) + error * error;
  return sums.map((sum) => Math.max(1e-3, Math.sqrt((sum * features) / errors.length)));
}
