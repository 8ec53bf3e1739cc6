import { checkBoolean, checkOptions, checkPositiveInteger } from '../../arguments.js';
import { randomSplit } from '../../data/splits.js';
import type { Tokenizer, TokenKind } from '../../text/index.js';
import { learnTokenizer } from '../../text/learn_tokenizer.js';
import type { Classifier } from './classifier.js';
import { type ClassifierEvaluation, evaluateClassifier, predictClasses } from './evaluate_classifier.js';
import { checkLabelled, checkTextArray, labelNumbers, textDataset, textPreprocessingOf } from './text_inputs.js';
import {
  classifierTrainingOptions,
  embeddingOptions,
  type TrainClassifierOptions,
  type TrainedClassifier,
  trainClassifier,
} from './train_classifier.js';

/** What `trainTextClassifier` takes: the texts, what of them is read, the training. */
export interface TrainTextClassifierOptions
  extends Omit<
    TrainClassifierOptions,
    'classes' | 'train' | 'validation' | 'test' | 'inputSize' | 'vocabularySize' | 'preprocessing'
  > {
  texts: readonly string[];
  /** The class of each text, by name. */
  labels: readonly string[];
  /** What tokens are, learnt from the training texts; or a tokenizer. Default: 'words'. */
  tokens?: TokenKind | Tokenizer;
  /** Words or subword pieces in the vocabulary, the most frequent ones. Default: 10,000. */
  vocabulary?: number;
  /**
   * Words that come less often in training are the unknown token; by characters and subwords: characters. From 2 on that token is learnt, and
   * words that are new in use are read as the rare ones were. Default: 1.
   */
  minCount?: number;
  /** Whether texts are read in lower case. Default: true. */
  lowerCase?: boolean;
  /** Tokens of a text that are read: its first ones. Default: 256. */
  maxTokens?: number;
  /** The share of the texts that chooses the epoch and the temperature. Default: 0.1. */
  validation?: number;
  /** The share of the texts that has no part in the training. Default: 0.2. */
  test?: number;
}

const ownOptions = [
  'texts',
  'labels',
  'tokens',
  'vocabulary',
  'minCount',
  'lowerCase',
  'maxTokens',
  'validation',
  'test',
];

/**
 * Trains a `Classifier` on texts: an embedding of their tokens, a GRU that reads them from both ends unless told otherwise, one vector of
 * all steps, and one score for each class. Texts are dealt to the parts at random.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a part without texts; what `Trainer.fit` throws
 */
export async function trainTextClassifier(options: TrainTextClassifierOptions): Promise<TrainedClassifier> {
  checkOptions(options, 'options', [...ownOptions, ...embeddingOptions, ...classifierTrainingOptions]);
  const { texts: _, labels: __, tokens = 'words', vocabulary = 10_000, lowerCase = true, ...others } = options;
  const { minCount, maxTokens = 256, validation = 0.1, test = 0.2, ...training } = others;
  const { texts, labels } = checkLabelled(options.texts, options.labels);
  checkBoolean(lowerCase, 'lowerCase');
  checkPositiveInteger(maxTokens, 'maxTokens');
  const split = randomSplit(texts.length, { validation, test, seed: options.seed ?? 0 });
  const cased = (indices: Int32Array) =>
    Array.from(indices, (i) => (lowerCase ? (texts[i] as string).toLowerCase() : (texts[i] as string)));
  const tokenizer = await learnTokenizer(cased(split.train), tokens, 'tokens', { vocabulary, minCount });
  const classes = [...new Set(labels)].sort();
  const numbers = labelNumbers(labels, classes);
  const part = (indices: Int32Array) =>
    textDataset(
      { tokenizer, lowerCase, maxTokens },
      Array.from(indices, (i) => texts[i] as string),
      Array.from(indices, (i) => numbers[i] as number),
    );
  return trainClassifier({
    ...training,
    classes,
    vocabularySize: tokenizer.vocabularySize,
    train: part(split.train),
    ...(split.validation.length > 0 && { validation: part(split.validation) }),
    ...(split.test.length > 0 && { test: part(split.test) }),
    preprocessing: { input: 'text', tokenizer: tokenizer.toJSON(), lowerCase, maxTokens },
  });
}

/**
 * Compares what a model says of texts with their labels.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a label that is no class, `ERR_FORMAT` for a model without a tokenizer
 */
export async function evaluateTextClassifier(
  model: Classifier,
  texts: readonly string[],
  labels: readonly string[],
): Promise<ClassifierEvaluation> {
  const reader = textPreprocessingOf(model);
  const checked = checkLabelled(texts, labels);
  return evaluateClassifier(model, textDataset(reader, checked.texts, labelNumbers(checked.labels, reader.classes)));
}

/** What a model says of texts. */
export interface TextClasses {
  /** The likeliest class of each text. */
  readonly labels: readonly string[];
  /** [texts, classes]. */
  readonly probabilities: Float32Array;
}

/**
 * The class of each text.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_FORMAT` for a model without a tokenizer
 */
export async function classifyTexts(model: Classifier, texts: readonly string[]): Promise<TextClasses> {
  const reader = textPreprocessingOf(model);
  const { classes } = reader;
  checkTextArray(texts, 'texts');
  const probabilities = await predictClasses(model, textDataset(reader, texts, new Int32Array(texts.length)));
  const labels = texts.map((_, i) => {
    const row = probabilities.subarray(i * classes.length, (i + 1) * classes.length);
    return classes[row.indexOf(Math.max(...row))] as string;
  });
  return { labels, probabilities };
}
