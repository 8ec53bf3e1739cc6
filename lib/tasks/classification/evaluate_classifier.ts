import { checkNumber } from '../../arguments.js';
import { noGrad } from '../../autograd/tape.js';
import { Batches } from '../../data/batches.js';
import type { Dataset } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import { type Reliability, reliability } from '../../metrics/calibration.js';
import {
  type ClassificationScores,
  classificationScores,
  confusionMatrix,
  logLoss,
} from '../../metrics/classification.js';
import { averagePrecision, rocAuc } from '../../metrics/detection.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import type { Classifier } from './classifier.js';

/** What a classifier's answers mean; with what else its data needs it travels in the model file as `preprocessing`. */
export interface ClassifierPreprocessing {
  readonly task: 'classify';
  readonly classes: readonly string[];
  /** The logits are divided by it before they become probabilities. */
  readonly temperature: number;
}

/** How good a classifier is. */
export interface ClassifierEvaluation {
  /** [examples, classes]. */
  readonly probabilities: Float32Array;
  /** [examples]. */
  readonly labels: Int32Array;
  /** [classes, classes]: a row for each label, a column for each prediction. */
  readonly confusion: Float64Array;
  readonly scores: ClassificationScores;
  readonly logLoss: number;
  readonly reliability: Reliability;
  /** Of two classes, the second being the positive one; null with more, and where only one of them came. */
  readonly rocAuc: number | null;
  readonly averagePrecision: number | null;
  /** The accuracy of always saying the class that came most often. */
  readonly majorityAccuracy: number;
}

// Examples that are classified together.
const examplesPerBatch = 256;

/**
 * Classifies every example and compares with its target.
 *
 * @throws CudnnGruError `ERR_FORMAT` for a model without preprocessing
 */
export async function evaluateClassifier(model: Classifier, dataset: Dataset): Promise<ClassifierEvaluation> {
  const { classes } = model;
  const probabilities = await predictClasses(model, dataset);
  const labels = labelsOf(dataset);
  const confusion = confusionMatrix(probabilities, labels, classes);
  const scores = classificationScores(confusion);
  const positive = classes === 2 ? probabilities.filter((_, i) => i % 2 === 1) : null;
  const ranked = positive && scores.support.every((count) => count > 0) ? positive : null;
  return {
    probabilities,
    labels,
    confusion,
    scores,
    logLoss: logLoss(probabilities, labels, classes),
    reliability: reliability(probabilities, labels, classes),
    rocAuc: ranked && rocAuc(ranked, labels),
    averagePrecision: ranked && averagePrecision(ranked, labels),
    majorityAccuracy: Math.max(...scores.support) / labels.length,
  };
}

/**
 * The probability of each class for each example: softmax(logits / temperature), [examples, classes].
 *
 * @throws CudnnGruError `ERR_FORMAT` for a model without preprocessing
 */
export async function predictClasses(model: Classifier, dataset: Dataset): Promise<Float32Array> {
  return toProbabilities(await logitsOf(model, dataset), classifierPreprocessingOf(model));
}

/** @internal In place. */
export function toProbabilities(logits: Float32Array, { classes, temperature }: ClassifierPreprocessing): Float32Array {
  for (let start = 0; start < logits.length; start += classes.length)
    softmaxInPlace(logits.subarray(start, start + classes.length), temperature);
  return logits;
}

/** @internal [examples, classes]. */
export async function logitsOf(model: Classifier, dataset: Dataset): Promise<Float32Array> {
  const wasTraining = model.training;
  const logits = new Float32Array(dataset.length * model.classes);
  let done = 0;
  model.eval();
  try {
    for (const { inputs, lengths } of new Batches(dataset, { batchSize: examplesPerBatch })) {
      const batch = scope(() =>
        noGrad(() => model.forward(upload(inputs.data, inputs.shape, model.head.weight.on), { lengths })),
      );
      logits.set((await batch.data()) as Float32Array, done);
      done += batch.size;
      batch.dispose();
    }
  } finally {
    if (wasTraining) model.train();
  }
  return logits;
}

/** @internal The targets of all examples. */
export function labelsOf(dataset: Dataset): Int32Array {
  const labels = new Int32Array(dataset.length);
  let done = 0;
  for (const { targets } of new Batches(dataset, { batchSize: examplesPerBatch })) {
    labels.set(targets.data, done);
    done += targets.data.length;
  }
  return labels;
}

function softmaxInPlace(scores: Float32Array, temperature: number): void {
  const top = Math.max(...scores);
  let sum = 0;
  for (const [i, score] of scores.entries()) {
    scores[i] = Math.exp((score - top) / temperature);
    sum += scores[i] as number;
  }
  for (const [i, power] of scores.entries()) scores[i] = power / sum;
}

/** A model's preprocessing, checked: it may come from a file. @throws CudnnGruError `ERR_FORMAT` */
export function classifierPreprocessingOf(model: Module): ClassifierPreprocessing {
  const json = model.preprocessing as Partial<Record<keyof ClassifierPreprocessing, unknown>> | null;
  const classes = 'classes' in model ? model.classes : undefined;
  try {
    const names = json?.classes;
    if (json?.task !== 'classify' || !Array.isArray(names) || names.length !== classes) throw new Error();
    if (names.some((name) => typeof name !== 'string')) throw new Error();
    checkNumber(json.temperature, 'temperature', { above: 0 });
  } catch {
    throw new CudnnGruError(
      'ERR_FORMAT',
      'the model does not say what its classes are: it has no usable preprocessing',
    );
  }
  return json as unknown as ClassifierPreprocessing;
}
