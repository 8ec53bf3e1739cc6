import { checkInteger, checkOptions, checkPositiveInteger } from '../../arguments.js';
import type { Frames, MelSettings } from '../../audio/index.js';
import { noGrad } from '../../autograd/tape.js';
import { padSequences, Scaler } from '../../data/index.js';
import {
  type CtcBeamSearchOptions,
  type CtcHypothesis,
  ctcBeamSearch,
  ctcSearchOptions,
} from '../../decoding/ctc_beam_search.js';
import { ctcGreedy } from '../../decoding/ctc_greedy.js';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import { type SequenceErrors, sequenceErrors } from '../../metrics/sequences.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import { type Tokenizer, tokenizerFromJson } from '../../text/index.js';
import { type Clip, clipFeatures, normalizeClips, type SpokenClip } from './clip_dataset.js';
import { Transcriber } from './transcriber.js';

export interface TranscribeOptions
  extends Pick<
    CtcBeamSearchOptions,
    'width' | 'nBest' | 'classesPerFrame' | 'languageModel' | 'languageModelWeight' | 'labelBonus' | 'signal'
  > {
  /** Prefixes that the search follows; 1: the labels of the single best alignment. Default: 1, with a language model 16. */
  width?: number;
  /** Clips that go through the model together, those of similar length. Default: 16. */
  batchSize?: number;
}

/** What was heard. */
export interface Transcript {
  text: string;
  /** Token numbers. */
  tokens: number[];
  /** Where each token begins, in seconds; null after a search, which sums over all places. */
  times: number[] | null;
  /** Of the best alignment, or after a search of all alignments that were followed. */
  logProbability: number;
  /** With the language model and the bonus of labels; what the search ranks by. */
  score: number;
  /** exp(logProbability / tokens), the geometric mean over the characters, from 0 to 1; without tokens exp(logProbability). Not calibrated. */
  confidence: number;
}

const optionNames = [...ctcSearchOptions, 'batchSize'];

/**
 * What is said in sounds: by the most probable class of each step, or by prefix beam search.
 *
 * @returns for each clip up to `nBest` (default: 1) transcripts, the best first
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a sound that is too short or has another sample rate than the training's, `ERR_FORMAT`
 * for a model without preprocessing
 */
export async function transcribe(
  model: Transcriber,
  clips: readonly SpokenClip[],
  options: TranscribeOptions = {},
): Promise<Transcript[][]> {
  checkOptions(options, 'options', optionNames);
  const { batchSize = 16, width = options.languageModel ? 16 : 1, nBest = 1, ...search } = options;
  checkPositiveInteger(batchSize, 'batchSize');
  checkInteger(nBest, 'nBest', { min: 1, max: checkPositiveInteger(width, 'width') });
  const { tokenizer, frontEnd, scaler } = transcriberPreprocessingOf(model);
  const frames = normalizeClips(await clipFeatures(clips, frontEnd), clips, scaler);
  const seconds = (model.stacking * frontEnd.hopSize) / frontEnd.sampleRate;
  const order = [...frames.keys()].sort((a, b) => framesOf(frames, a) - framesOf(frames, b));
  const found = new Array<Transcript[]>(clips.length);
  const wasTraining = model.training;
  model.eval();
  try {
    for (let start = 0; start < order.length; start += batchSize) {
      options.signal?.throwIfAborted();
      const indices = order.slice(start, start + batchSize);
      const { logits, lengths } = logitsOf(
        model,
        indices.map((index) => frames[index] as Frames),
      );
      try {
        const rows =
          width === 1 && !options.languageModel
            ? (await ctcGreedy(logits, { lengths })).map((row) => [
                { ...row, score: row.logProbability, times: row.frames.map((step) => step * seconds) },
              ])
            : (await ctcBeamSearch(logits, { ...search, lengths, width, nBest })).map((row) =>
                row.map((one) => ({ ...one, times: null })),
              );
        for (const [i, index] of indices.entries()) {
          found[index] = (rows[i] as (typeof rows)[number]).map(({ labels, times, logProbability, score }) => {
            return transcriptOf(tokenizer, { labels, times, logProbability, score });
          });
        }
      } finally {
        logits.dispose();
      }
    }
  } finally {
    if (wasTraining) model.train();
  }
  return found;
}

/** @internal */
export function transcriptOf(
  tokenizer: Tokenizer,
  { labels, times, logProbability, score }: CtcHypothesis & { times: number[] | null },
): Transcript {
  const confidence = Math.exp(logProbability / Math.max(1, labels.length));
  return { text: tokenizer.decode(labels), tokens: labels, times, logProbability, score, confidence };
}

function framesOf(frames: readonly Frames[], index: number): number {
  return frames[index]?.shape[0] as number;
}

// A sound of fewer frames than one step is filled up with the mean.
function logitsOf(model: Transcriber, frames: readonly Frames[]) {
  const { data, shape } = padSequences(frames);
  const [rows, time, features] = shape as [number, number, number];
  const lengths = frames.map(({ shape }) => Math.max(model.stacking, shape[0] as number));
  const filled = new Float32Array(rows * Math.max(time, model.stacking) * features);
  filled.set(data);
  const size = [rows, filled.length / rows / features, features];
  let counted: Int32Array = new Int32Array(0);
  const logits = scope(() =>
    noGrad(() => {
      const out = model.forward(upload(filled, size, model.head.weight.on), { lengths });
      counted = out.lengths;
      return out.logits;
    }),
  );
  return { logits, lengths: counted };
}

const nothing: Transcript = {
  text: '',
  tokens: [],
  times: null,
  logProbability: Number.NEGATIVE_INFINITY,
  score: Number.NEGATIVE_INFINITY,
  confidence: 0,
};

/** How good a transcriber is. */
export interface TranscriberEvaluation {
  /** Over the characters of all texts: `tokenErrorRate` is the character error rate. */
  readonly characters: SequenceErrors;
  /** Over words with white space between them: `tokenErrorRate` is the word error rate. */
  readonly words: SequenceErrors;
  /** The best of each clip. */
  readonly transcripts: readonly Transcript[];
}

/** Transcribes clips and compares with their texts. @throws as `transcribe` */
export async function evaluateTranscriber(
  model: Transcriber,
  clips: readonly Clip[],
  options: TranscribeOptions = {},
): Promise<TranscriberEvaluation> {
  const transcripts = (await transcribe(model, clips, options)).map(([best]) => best ?? { ...nothing });
  const errors = (split: (text: string) => string[]) =>
    sequenceErrors<string>(
      transcripts.map(({ text }) => split(text)),
      clips.map(({ text }) => [split(text)]),
    );
  return {
    characters: errors((text) => [...text]),
    words: errors((text) => text.split(/\s+/).filter((word) => word !== '')),
    transcripts,
  };
}

/** What came with a transcriber: its tokens and how sound becomes features. @throws CudnnGruError `ERR_FORMAT` */
export function transcriberPreprocessingOf(model: Module): {
  tokenizer: Tokenizer;
  frontEnd: MelSettings;
  scaler: Scaler;
} {
  const json = model.preprocessing as Partial<Record<'task' | 'tokens' | 'frontEnd' | 'scaler', unknown>> | null;
  if (!(model instanceof Transcriber) || json?.task !== 'transcribe') {
    throw new CudnnGruError('ERR_FORMAT', 'the model is no transcriber with its tokens in its preprocessing');
  }
  const tokenizer = tokenizerFromJson(json.tokens);
  const scaler = Scaler.fromJSON(json.scaler);
  const frontEnd = json.frontEnd as MelSettings | null;
  if (tokenizer.vocabularySize !== model.vocabularySize || scaler.features !== model.inputSize) {
    throw new CudnnGruError('ERR_FORMAT', 'the preprocessing is not of the sizes that the model has');
  }
  if (frontEnd?.bands !== model.inputSize)
    throw new CudnnGruError('ERR_FORMAT', "the front end's settings are malformed");
  return { tokenizer, frontEnd, scaler };
}
