import { checkNumber, checkOptions, checkPositiveInteger, checkString, given } from '../../arguments.js';
import { StreamBatches } from '../../data/index.js';
import { CudnnGruError } from '../../errors.js';
import { crossEntropy } from '../../losses/index.js';
import { Generator } from '../../tensor/generator.js';
import type { Tokenizer, TokenKind } from '../../text/index.js';
import { learnTokenizer } from '../../text/learn_tokenizer.js';
import type { TrainingBatch, TrainingResult } from '../../training/types.js';
import {
  checkTraining,
  fitModel,
  type TaskTrainingOptions,
  taskTrainingOptions,
  trainingSummary,
} from '../training.js';
import { evaluateLanguageModel, type LanguageEvaluation } from './evaluate_language_model.js';
import { LanguageModel, type LanguageModelOptions } from './language_model.js';

/** What `trainLanguageModel` takes: the text, the model, the training. */
export interface TrainLanguageModelOptions
  extends Omit<LanguageModelOptions, 'vocabularySize' | 'device' | 'generator'>,
    Omit<TaskTrainingOptions, 'batchSize'> {
  text: string;
  /** What tokens are, learnt from the training text; or a tokenizer. Default: 'characters'. */
  tokenizer?: TokenKind | Tokenizer;
  /** Words or subword pieces in the vocabulary, the most frequent ones. Default: 10,000. */
  vocabulary?: number;
  /**
   * Words that come less often in training are the unknown token; by characters and subwords: characters. From 2 on that token is learnt, and
   * words that are new in use are read as the rare ones were; `generateText` never writes it. Default: 1.
   */
  minCount?: number;
  /** The last part of the text, never seen in training. Default: 0.05. */
  test?: number;
  /** The part before it, which chooses the best epoch. Default: 0.05. */
  validation?: number;
  /** Places of the text that are read side by side: the batch size. Default: 32. */
  streams?: number;
  /** Tokens through which gradients flow back; the state goes on beyond. Default: 64. */
  steps?: number;
  /** Passes over the training text. Default: 10. */
  epochs?: number;
}

const optionNames = [
  'text',
  'tokenizer',
  'vocabulary',
  'minCount',
  'test',
  'validation',
  'embeddingSize',
  'embeddingDropout',
  'hiddenSize',
  'numLayers',
  'dropout',
  'tied',
  'streams',
  'steps',
  ...taskTrainingOptions.filter((name) => name !== 'batchSize'),
];

/** A trained language model. */
export interface TrainedLanguageModel {
  /** With its tokenizer in `preprocessing`: ready for `saveModel` and `generateText`. */
  model: LanguageModel;
  result: TrainingResult;
  /** On the test text; null without one, and when the training was aborted. */
  evaluation: LanguageEvaluation | null;
}

/**
 * Trains a `LanguageModel` on a text by truncated backpropagation through time: the text is cut into `streams` parts that are read side by
 * side, `steps` tokens at a time, with the state carried on. AdamW with a one-cycle schedule, gradients clipped to norm 1; the epoch that is best on
 * the validation text is kept.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a text that is too short; what `Trainer.fit` throws
 */
export async function trainLanguageModel(options: TrainLanguageModelOptions): Promise<TrainedLanguageModel> {
  checkOptions(options, 'options', optionNames);
  const { streams = 32, steps = 64 } = options;
  const training = checkTraining(options, { epochs: 10 });
  const { seed, device } = training;
  const parts = split(options);
  const tokenizer = await tokenizerFor(options, parts.training);
  const data = batchesOf(tokenizer, parts.training, streams, steps, 'training');
  const validation =
    parts.validation === '' ? undefined : batchesOf(tokenizer, parts.validation, streams, steps, 'validation');
  const { embeddingSize, embeddingDropout, hiddenSize, numLayers, dropout, tied } = options;
  const model = new LanguageModel({
    vocabularySize: tokenizer.vocabularySize,
    ...given({ embeddingSize, embeddingDropout, hiddenSize, numLayers, dropout, tied }),
    device,
    generator: new Generator(seed),
  });
  model.preprocessing = { task: 'generate', tokenizer: tokenizer.toJSON() };
  const loss = ({ inputs, targets, hidden: initialHidden }: TrainingBatch) => {
    const { logits, hidden } = model.forward(inputs, { initialHidden });
    return { loss: crossEntropy(logits, targets), hidden };
  };
  return fitModel({ model, loss, data, validation, training }, async (result) => {
    const tested = parts.test !== '' && result.stopped !== 'aborted';
    const evaluation = tested ? await evaluateLanguageModel(model, parts.test) : null;
    model.summary = {
      ...trainingSummary(training, result),
      test: evaluation && { bitsPerCharacter: evaluation.bitsPerCharacter, perplexity: evaluation.perplexity },
    };
    return { model, result, evaluation };
  });
}

// By characters, so that every tokenizer has the same parts.
function split({ text, test = 0.05, validation = 0.05 }: TrainLanguageModelOptions) {
  checkString(text, 'text');
  checkNumber(test, 'test', { min: 0, below: 1 });
  checkNumber(validation, 'validation', { min: 0, below: 1 - test });
  const testStart = Math.round(text.length * (1 - test));
  const validationStart = Math.round(text.length * (1 - test - validation));
  return {
    training: text.slice(0, validationStart),
    validation: text.slice(validationStart, testStart),
    test: text.slice(testStart),
  };
}

function tokenizerFor(
  { tokenizer = 'characters', vocabulary = 10_000, minCount }: TrainLanguageModelOptions,
  text: string,
): Promise<Tokenizer> {
  return learnTokenizer([text], tokenizer, 'tokenizer', { vocabulary, minCount });
}

function batchesOf(tokenizer: Tokenizer, text: string, streams: number, steps: number, name: string): StreamBatches {
  const tokens = tokenizer.encode(text);
  checkPositiveInteger(streams, 'streams');
  if (tokens.length <= streams) {
    throw new CudnnGruError('ERR_DATA', `the ${name} text has ${tokens.length} tokens for ${streams} streams`);
  }
  const rows = tokens.length - 1;
  const array = (data: Int32Array) => ({ data, shape: [rows] });
  return new StreamBatches({ inputs: array(tokens.slice(0, -1)), targets: array(tokens.slice(1)), streams, steps });
}
