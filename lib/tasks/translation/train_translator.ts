import { checkNumber, checkOptions, given } from '../../arguments.js';
import { Batches } from '../../data/index.js';
import { crossEntropy } from '../../losses/index.js';
import { upload } from '../../ops/result.js';
import { Generator } from '../../tensor/generator.js';
import { specialTokens, type TokenKind } from '../../text/index.js';
import { learnTokenizer } from '../../text/learn_tokenizer.js';
import type { TrainingBatch, TrainingResult } from '../../training/types.js';
import {
  checkTraining,
  fitModel,
  type TaskTrainingOptions,
  taskTrainingOptions,
  trainingSummary,
} from '../training.js';
import { EncoderDecoder, type EncoderDecoderOptions } from './encoder_decoder.js';
import { checkPairs, decoderInput, encodePair, PairDataset, type TextPair } from './pair_dataset.js';

/** What `trainTranslator` takes: the pairs, the model, the training. */
export interface TrainTranslatorOptions
  extends Omit<EncoderDecoderOptions, 'sourceVocabularySize' | 'targetVocabularySize' | 'device' | 'generator'>,
    TaskTrainingOptions {
  pairs: readonly TextPair[];
  /** Pairs that choose the epoch that is kept. Default: none. */
  validation?: readonly TextPair[];
  /** Learnt from the sources of `pairs`. Default: 'words'. */
  sourceTokens?: TokenKind;
  /** Learnt from the targets of `pairs`. Default: 'words'. */
  targetTokens?: TokenKind;
  /** Words or subword pieces in each vocabulary, the most frequent ones. Default: 8,000. */
  vocabulary?: number;
  /**
   * Words that come less often in training are the unknown token; by characters and subwords: characters. From 2 on that token is learnt, and
   * words that are new in use are read as the rare ones were; in answers it is `�`. Default: 1.
   */
  minCount?: number;
  /** Scheduled sampling, from the first step to the last growing from 0 to this share. Default: 0, teacher forcing. */
  sampling?: number;
  /** Default: 0.1. */
  labelSmoothing?: number;
  /** Passes over the pairs. Default: 10. */
  epochs?: number;
  /** Pairs per step. Default: 64; with few pairs a smaller number learns more in the same time (examples/RESULTS.md, translation). */
  batchSize?: number;
  /** The highest rate of the one-cycle schedule. Default: 0.002. */
  learningRate?: number;
}

const optionNames = [
  'pairs',
  'validation',
  'sourceTokens',
  'targetTokens',
  'vocabulary',
  'minCount',
  'embeddingSize',
  'hiddenSize',
  'numLayers',
  'bidirectional',
  'attention',
  'inputFeeding',
  'dropout',
  'tied',
  'sampling',
  'labelSmoothing',
  ...taskTrainingOptions,
];

/** A trained translator. */
export interface TrainedTranslator {
  /** With its tokenizers in `preprocessing`: ready for `saveModel` and `translate`. */
  model: EncoderDecoder;
  result: TrainingResult;
}

/**
 * Trains an `EncoderDecoder` on pairs of texts. Cross-entropy with label smoothing; AdamW with a one-cycle schedule, gradients clipped to norm
 * 1; pairs of similar length share batches; the epoch that is best on the validation pairs is kept.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a source without tokens; what `Trainer.fit` throws
 */
export async function trainTranslator(options: TrainTranslatorOptions): Promise<TrainedTranslator> {
  checkOptions(options, 'options', optionNames);
  const training = checkTraining(options, { epochs: 10, batchSize: 64, learningRate: 2e-3 });
  const { epochs, batchSize, seed, device } = training;
  const pairs = checkPairs(options.pairs, 'pairs');
  const labelSmoothing = checkNumber(options.labelSmoothing ?? 0.1, 'labelSmoothing', { min: 0, max: 1 });
  const sampling = checkNumber(options.sampling ?? 0, 'sampling', { min: 0, max: 1 });
  const [sources, targets] = [pairs.map(([source]) => source), pairs.map(([, target]) => target)];
  const known = { vocabulary: options.vocabulary ?? 8000, minCount: options.minCount };
  const source = await learnTokenizer(sources, options.sourceTokens ?? 'words', 'sourceTokens', known);
  const target = await learnTokenizer(targets, options.targetTokens ?? 'words', 'targetTokens', known);
  const dataset = (list: readonly TextPair[]) => new PairDataset(list.map((pair) => encodePair(pair, source, target)));
  const data = new Batches(dataset(pairs), { batchSize, shuffle: true, seed, bucketSize: 16 });
  const held = options.validation && dataset(checkPairs(options.validation, 'validation'));
  const { embeddingSize, hiddenSize, numLayers, bidirectional, attention, inputFeeding, dropout, tied } = options;
  const model = new EncoderDecoder({
    sourceVocabularySize: source.vocabularySize,
    targetVocabularySize: target.vocabularySize,
    ...given({ embeddingSize, hiddenSize, numLayers, bidirectional, attention, inputFeeding, dropout, tied }),
    device,
    generator: new Generator(seed),
  });
  const longestTarget = targets.reduce((most, text) => Math.max(most, target.encode(text).length), 1);
  model.preprocessing = { task: 'translate', source: source.toJSON(), target: target.toJSON(), longestTarget };
  const steps = Math.max(2, epochs * data.batchesPerEpoch);
  const fit = {
    model,
    loss: ({ inputs, targets: wanted, lengths, batch }: TrainingBatch) => {
      const read = upload(decoderInput(batch.targets), wanted.shape, wanted.on);
      const { epoch, batch: done } = data.position();
      const share = model.training ? (sampling * (epoch * data.batchesPerEpoch + done)) / steps : 0;
      const { logits } = model.forward(inputs, read, { lengths, sampling: Math.min(1, share) });
      const smoothing = model.training ? labelSmoothing : 0;
      return crossEntropy(logits, wanted, { ignoreIndex: specialTokens.padding, labelSmoothing: smoothing });
    },
    data,
    ...(held && { validation: new Batches(held, { batchSize: 128, bucketSize: 16 }) }),
    training,
  };
  return fitModel(fit, async (result) => {
    model.summary = { pairs: pairs.length, ...trainingSummary(training, result) };
    return { model, result };
  });
}
