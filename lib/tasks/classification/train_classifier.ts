import { checkNumber, checkOneOf, checkOptions, given, wrongKind, wrongRange } from '../../arguments.js';
import { Batches } from '../../data/batches.js';
import type { Dataset } from '../../data/types.js';
import type { JsonValue } from '../../layers/module.js';
import { crossEntropy } from '../../losses/index.js';
import { fitTemperature } from '../../metrics/calibration.js';
import { tensor } from '../../tensor/creation.js';
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
import { Classifier, type ClassifierOptions } from './classifier.js';
import { type ClassifierEvaluation, evaluateClassifier, labelsOf, logitsOf } from './evaluate_classifier.js';

/** What `trainClassifier` takes: the data, the model, the training. */
export interface TrainClassifierOptions
  extends Omit<ClassifierOptions, 'classes' | 'device' | 'generator'>,
    TaskTrainingOptions {
  /** The names of the classes; a label is a number into them. */
  classes: readonly string[];
  /** Examples to learn from: inputs [batch, time, features] or token numbers [batch, time], targets int32 [batch]. */
  train: Dataset;
  /** Examples that choose the epoch that is kept, and the temperature. Default: none. */
  validation?: Dataset;
  /** Examples that have no part in the training. Default: none. */
  test?: Dataset;
  /** `balanced`: a class counts the more, the rarer it is in training: examples / (classes · examples of it). Default: all count 1. */
  classWeights?: 'balanced' | readonly number[];
  /** Default: 0. */
  labelSmoothing?: number;
  /** What makes raw data into the model's inputs; goes into `model.preprocessing` beside the classes and the temperature. */
  preprocessing?: { readonly [key: string]: JsonValue };
}

/** @internal Options of the embedding of tokens. */
export const embeddingOptions = ['embeddingSize', 'embeddingDropout'];

/** @internal Options of the model and its training that do not depend on what the examples are. */
export const classifierTrainingOptions = [
  'hiddenSize',
  'numLayers',
  'bidirectional',
  'dropout',
  'pooling',
  'classWeights',
  'labelSmoothing',
  ...taskTrainingOptions,
];

const optionNames = [
  'classes',
  'train',
  'validation',
  'test',
  'inputSize',
  'vocabularySize',
  ...embeddingOptions,
  ...classifierTrainingOptions,
  'preprocessing',
];

/** A trained classifier. */
export interface TrainedClassifier {
  /** With `preprocessing` and `summary`: ready for `saveModel` and `predictClasses`. */
  model: Classifier;
  result: TrainingResult;
  /** On the test examples; null without them, and when the training was aborted. */
  evaluation: ClassifierEvaluation | null;
}

/**
 * Trains a `Classifier`, keeps the epoch that is best on the validation examples, finds on them the temperature that makes the
 * probabilities true, and evaluates the model on the test examples.
 *
 * The loss is softmax cross-entropy; AdamW with a one-cycle schedule, gradients clipped to norm 1. Examples of similar length share batches.
 *
 * @throws TypeError, RangeError; what `Trainer.fit` throws
 */
export async function trainClassifier(options: TrainClassifierOptions): Promise<TrainedClassifier> {
  checkOptions(options, 'options', optionNames);
  const { train, validation, test } = options;
  const training = checkTraining(options);
  const { batchSize, seed, device } = training;
  const classes = checkClasses(options.classes);
  const labelSmoothing = checkNumber(options.labelSmoothing ?? 0, 'labelSmoothing', { min: 0, max: 1 });
  const { inputSize, vocabularySize, embeddingSize, embeddingDropout } = options;
  const { hiddenSize, numLayers, bidirectional, dropout, pooling } = options;
  const model = new Classifier({
    classes: classes.length,
    ...given({ inputSize, vocabularySize, embeddingSize, embeddingDropout }),
    ...given({ hiddenSize, numLayers, bidirectional, dropout, pooling }),
    device,
    generator: new Generator(seed),
  });
  const weights = classWeightsOf(options.classWeights, train, classes.length);
  const classWeights = weights && tensor(weights, undefined, { device: model.head.weight.device });
  const data = new Batches(train, { batchSize, shuffle: true, seed, ...bucketed(train) });
  const fit = {
    model,
    loss: ({ inputs, targets, lengths }: TrainingBatch) =>
      crossEntropy(model.forward(inputs, { lengths }), targets, { labelSmoothing, classWeights }),
    data,
    ...(validation && { validation: new Batches(validation, { batchSize: 256, ...bucketed(validation) }) }),
    training,
  };
  const trained = fitModel(fit, async (result) => {
    const aborted = result.stopped === 'aborted';
    const temperature =
      validation && !aborted
        ? fitTemperature(await logitsOf(model, validation), labelsOf(validation), classes.length)
        : 1;
    model.preprocessing = { task: 'classify', classes, temperature, ...options.preprocessing };
    const evaluation = test && !aborted ? await evaluateClassifier(model, test) : null;
    model.summary = summaryOf(options, training, result, evaluation);
    return { model, result, evaluation };
  });
  return trained.finally(() => classWeights?.dispose());
}

function checkClasses(classes: readonly string[]): readonly string[] {
  if (!Array.isArray(classes) || classes.some((name) => typeof name !== 'string')) {
    throw wrongKind('classes', 'an array of names', classes);
  }
  if (classes.length < 2 || new Set(classes).size < classes.length) {
    throw wrongRange('classes', 'at least two different names', classes);
  }
  return classes;
}

// Sequences of similar length side by side: less padding.
function bucketed(dataset: Dataset): { bucketSize?: number } {
  return dataset.lengthOf ? { bucketSize: 16 } : {};
}

function classWeightsOf(
  weights: TrainClassifierOptions['classWeights'],
  train: Dataset,
  classes: number,
): readonly number[] | null {
  if (weights === undefined) return null;
  if (Array.isArray(weights)) {
    if (weights.length !== classes) throw wrongRange('classWeights', `${classes} numbers`, weights);
    return weights.map((weight, i) => checkNumber(weight, `classWeights[${i}]`, { min: 0 }));
  }
  checkOneOf(weights, 'classWeights', ['balanced']);
  const counts = new Array<number>(classes).fill(0);
  for (const label of labelsOf(train)) counts[label] = (counts[label] ?? 0) + 1;
  return counts.map((count) => (count > 0 ? train.length / (classes * count) : 0));
}

// What a model file says about how the model came about: plain JSON.
function summaryOf(
  { train, validation, test }: TrainClassifierOptions,
  training: TaskTraining,
  result: TrainingResult,
  evaluation: ClassifierEvaluation | null,
): JsonValue {
  return {
    examples: { training: train.length, validation: validation?.length ?? 0, test: test?.length ?? 0 },
    ...trainingSummary(training, result),
    test: evaluation && { accuracy: evaluation.scores.accuracy, macroF1: evaluation.scores.macroF1 },
  };
}
