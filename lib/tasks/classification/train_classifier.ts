import {
  checkNumber,
  checkOneOf,
  checkOptions,
  checkPositiveInteger,
  checkSeed,
  given,
  wrongKind,
  wrongRange,
} from '../../arguments.js';
import { Batches } from '../../data/batches.js';
import type { Dataset } from '../../data/types.js';
import type { JsonValue } from '../../layers/module.js';
import { crossEntropy } from '../../losses/index.js';
import { fitTemperature } from '../../metrics/calibration.js';
import { AdamW } from '../../optimizers/index.js';
import { oneCycle } from '../../optimizers/schedules.js';
import { tensor } from '../../tensor/creation.js';
import type { DeviceName } from '../../tensor/device.js';
import { Generator } from '../../tensor/generator.js';
import { Trainer } from '../../training/trainer.js';
import type { TrainerOptions, TrainingResult } from '../../training/types.js';
import { Classifier, type ClassifierOptions } from './classifier.js';
import { type ClassifierEvaluation, evaluateClassifier, labelsOf, logitsOf } from './evaluate_classifier.js';

/** What `trainClassifier` takes: the data, the model, the training. */
export interface TrainClassifierOptions
  extends Omit<ClassifierOptions, 'classes' | 'device' | 'generator'>,
    Pick<TrainerOptions, 'checkpoint' | 'checkpointEvery' | 'signal' | 'onProgress' | 'onEpoch'> {
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
  /** Passes over the training examples. Default: 20. */
  epochs?: number;
  /** Examples per step. Default: 32. */
  batchSize?: number;
  /** The highest rate of the one-cycle schedule. Default: 0.003. */
  learningRate?: number;
  /** AdamW's. Default: 0.01. */
  weightDecay?: number;
  /** Stop after this many epochs without a lower validation loss. Default: never. */
  patience?: number;
  /** Initial weights, order of the examples and dropout follow from it. Default: 0. */
  seed?: number;
  /** Default: 'cpu'. */
  device?: DeviceName | 'auto';
  /** Go on from the file `checkpoint`; all other options must be as they were. Default: false. */
  resume?: boolean;
  /** What makes raw data into the model's inputs; goes into `model.preprocessing` beside the classes and the temperature. */
  preprocessing?: { readonly [key: string]: JsonValue };
}

const optionNames = [
  'classes',
  'train',
  'validation',
  'test',
  'inputSize',
  'vocabularySize',
  'embeddingSize',
  'hiddenSize',
  'numLayers',
  'bidirectional',
  'dropout',
  'pooling',
  'classWeights',
  'labelSmoothing',
  'epochs',
  'batchSize',
  'learningRate',
  'weightDecay',
  'patience',
  'seed',
  'device',
  'checkpoint',
  'checkpointEvery',
  'resume',
  'signal',
  'onProgress',
  'onEpoch',
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
  const { train, validation, test, epochs = 20, batchSize = 32, device = 'cpu', resume = false } = options;
  const classes = checkClasses(options.classes);
  const seed = checkSeed(options.seed ?? 0);
  const learningRate = checkNumber(options.learningRate ?? 3e-3, 'learningRate', { above: 0 });
  const labelSmoothing = checkNumber(options.labelSmoothing ?? 0, 'labelSmoothing', { min: 0, max: 1 });
  const { inputSize, vocabularySize, embeddingSize, hiddenSize, numLayers, bidirectional, dropout, pooling } = options;
  const model = new Classifier({
    classes: classes.length,
    ...given({ inputSize, vocabularySize, embeddingSize, hiddenSize, numLayers, bidirectional, dropout, pooling }),
    device,
    generator: new Generator(seed),
  });
  const weights = classWeightsOf(options.classWeights, train, classes.length);
  const classWeights = weights && tensor(weights, undefined, { device: model.head.weight.device });
  const data = new Batches(train, { batchSize, shuffle: true, seed, ...bucketed(train) });
  const optimizer = new AdamW(model.parameters(), {
    learningRate,
    weightDecay: options.weightDecay ?? 0.01,
    clipNorm: 1,
  });
  const { patience, checkpoint, checkpointEvery, signal, onProgress, onEpoch } = options;
  const trainer = new Trainer({
    model,
    optimizer,
    loss: ({ inputs, targets, lengths }) =>
      crossEntropy(model.forward(inputs, { lengths }), targets, { labelSmoothing, classWeights }),
    data,
    epochs,
    schedule: oneCycle({ steps: Math.max(2, checkPositiveInteger(epochs, 'epochs') * data.batchesPerEpoch) }),
    seed,
    ...given({ patience, checkpoint, checkpointEvery, signal, onProgress, onEpoch }),
    ...(validation && { validation: new Batches(validation, { batchSize: 256, ...bucketed(validation) }) }),
  });
  try {
    const result = await trainer.fit({ resume });
    model.eval();
    const aborted = result.stopped === 'aborted';
    const temperature =
      validation && !aborted
        ? fitTemperature(await logitsOf(model, validation), labelsOf(validation), classes.length)
        : 1;
    model.preprocessing = { task: 'classify', classes, temperature, ...options.preprocessing };
    const evaluation = test && !aborted ? await evaluateClassifier(model, test) : null;
    model.summary = summaryOf(options, result, evaluation);
    return { model, result, evaluation };
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    trainer.dispose();
    optimizer.dispose();
    classWeights?.dispose();
  }
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
  { train, validation, test, seed = 0 }: TrainClassifierOptions,
  result: TrainingResult,
  evaluation: ClassifierEvaluation | null,
): JsonValue {
  const best = result.history[result.bestEpoch - 1];
  return {
    examples: { training: train.length, validation: validation?.length ?? 0, test: test?.length ?? 0 },
    seed,
    epochs: result.history.length,
    steps: result.steps,
    seconds: Math.round(result.seconds * 10) / 10,
    stopped: result.stopped,
    bestEpoch: result.bestEpoch,
    trainLoss: best?.trainLoss ?? null,
    validationLoss: best?.validationLoss ?? null,
    test: evaluation && { accuracy: evaluation.scores.accuracy, macroF1: evaluation.scores.macroF1 },
  };
}
