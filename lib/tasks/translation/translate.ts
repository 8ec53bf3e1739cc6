import { checkOptions, checkPositiveInteger, quote, wrongKind } from '../../arguments.js';
import { noGrad } from '../../autograd/tape.js';
import { type BeamSearchOptions, beamSearch } from '../../decoding/beam_search.js';
import type { Hypothesis } from '../../decoding/options.js';
import { disposeState } from '../../decoding/token_model.js';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import { type SequenceErrors, sequenceErrors } from '../../metrics/sequences.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import { specialTokens, type Tokenizer, tokenizerFromJson } from '../../text/index.js';
import { EncoderDecoder } from './encoder_decoder.js';
import { decoderInput, padded } from './pair_dataset.js';

export interface TranslateOptions
  extends Pick<BeamSearchOptions, 'width' | 'nBest' | 'lengthPenalty' | 'repetitionPenalty' | 'signal'> {
  /** The most tokens of an answer. Default: as many as the longest target in training had; a model that does not know: 200. */
  maxLength?: number;
  /** Sources that are translated together, those of similar length. Default: 32. */
  batchSize?: number;
}

/** One answer. */
export interface Translation extends Hypothesis {
  text: string;
}

const optionNames = ['width', 'nBest', 'lengthPenalty', 'repetitionPenalty', 'signal', 'maxLength', 'batchSize'];

/**
 * Translates texts by beam search.
 *
 * @returns for each text up to `nBest` (default: 1) answers, the best first
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a text without tokens, `ERR_FORMAT` for a model without tokenizers
 */
export async function translate(
  model: EncoderDecoder,
  texts: readonly string[],
  options: TranslateOptions = {},
): Promise<Translation[][]> {
  checkOptions(options, 'options', optionNames);
  if (!Array.isArray(texts)) throw wrongKind('texts', 'an array of strings', texts);
  const { source, target, longestTarget } = translationTokenizersOf(model);
  const { maxLength = longestTarget, nBest = 1, batchSize = 32, width = 4, ...search } = options;
  checkPositiveInteger(batchSize, 'batchSize');
  const tokens = texts.map((text) => encodeSource(source, text));
  const order = [...tokens.keys()].sort((a, b) => (tokens[a]?.length as number) - (tokens[b]?.length as number));
  const found = new Array<Translation[]>(texts.length);
  const wasTraining = model.training;
  model.eval();
  try {
    for (let start = 0; start < order.length; start += batchSize) {
      const indices = order.slice(start, start + batchSize);
      const rows = indices.map((index) => tokens[index] as Int32Array);
      const hypotheses = await searchRows(model, rows, { ...search, maxLength, nBest, width });
      for (const [i, index] of indices.entries()) {
        found[index] = (hypotheses[i] as Hypothesis[]).map((one) => ({ ...one, text: target.decode(one.tokens) }));
      }
    }
  } finally {
    if (wasTraining) model.train();
  }
  return found;
}

async function searchRows(
  model: EncoderDecoder,
  rows: readonly Int32Array[],
  options: Omit<BeamSearchOptions, 'start'>,
): Promise<Hypothesis[][]> {
  const { data, shape } = padded(rows);
  const { memory, state } = scope(() =>
    noGrad(() => {
      const lengths = rows.map((row) => row.length);
      const memory = model.encode(upload(data, shape, model.head.weight.on), lengths);
      return { memory, state: model.searchState(memory) };
    }),
  );
  try {
    return await beamSearch(model.searchModel(memory), {
      ...options,
      start: new Int32Array(rows.length).fill(specialTokens.start),
      state,
      endToken: specialTokens.end,
    });
  } finally {
    disposeState([memory.keys, memory.values, ...state]);
  }
}

/** How an answer and its source belong together. */
export interface Alignment {
  sourceTokens: string[];
  /** With the end token, as '</s>'. */
  targetTokens: string[];
  /** Shape [target tokens, source tokens]: how much each token of the answer looked at each of the source; rows sum to 1. */
  weights: number[][];
}

/**
 * The attention weights of an answer, for a picture or to find what was read where.
 *
 * @throws TypeError, RangeError; CudnnGruError as `translate`
 */
export async function alignmentOf(model: EncoderDecoder, text: string, answer: Hypothesis): Promise<Alignment> {
  const { source, target } = translationTokenizersOf(model);
  const tokens = encodeSource(source, text);
  const written = Int32Array.of(...answer.tokens, specialTokens.end);
  const wasTraining = model.training;
  model.eval();
  const device = model.head.weight.on;
  const weights = scope(() =>
    noGrad(() => {
      const input = decoderInput({ data: written, shape: [1, written.length] });
      return model.forward(upload(tokens, [1, tokens.length], device), upload(input, [1, input.length], device))
        .weights;
    }),
  );
  if (wasTraining) model.train();
  const data = await weights.data();
  weights.dispose();
  return {
    sourceTokens: Array.from(tokens, (token) => source.decode([token])),
    targetTokens: [...answer.tokens.map((token) => target.decode([token])), '</s>'],
    weights: Array.from(written, (_, t) => [...data.subarray(t * tokens.length, (t + 1) * tokens.length)]),
  };
}

/**
 * Translates sources and compares with what they should become, token by token.
 *
 * @param answers for each source one or several right answers: the nearest one counts
 * @throws as `translate`
 */
export async function evaluateTranslator(
  model: EncoderDecoder,
  sources: readonly string[],
  answers: readonly (readonly string[])[],
  options: TranslateOptions = {},
): Promise<{ errors: SequenceErrors; translations: Translation[][] }> {
  const translations = await translate(model, sources, options);
  const { target } = translationTokenizersOf(model);
  const expected = answers.map((texts) => texts.map((text) => target.encode(text)));
  const errors = sequenceErrors<number>(
    translations.map(([best]) => best?.tokens ?? []),
    expected,
  );
  return { errors, translations };
}

function encodeSource(tokenizer: Tokenizer, text: string): Int32Array {
  const tokens = tokenizer.encode(text);
  if (tokens.length === 0) throw new CudnnGruError('ERR_DATA', `the text ${quote(text)} has no tokens`);
  return tokens;
}

/** The tokenizers that came with a translator, and the most tokens of a target in training. @throws CudnnGruError `ERR_FORMAT` */
export function translationTokenizersOf(model: Module): {
  source: Tokenizer;
  target: Tokenizer;
  longestTarget: number;
} {
  const json = model.preprocessing as Partial<Record<'task' | 'source' | 'target' | 'longestTarget', unknown>> | null;
  if (!(model instanceof EncoderDecoder) || json?.task !== 'translate') {
    throw new CudnnGruError('ERR_FORMAT', 'the model is no translator with tokenizers in its preprocessing');
  }
  const [source, target] = [tokenizerFromJson(json.source), tokenizerFromJson(json.target)];
  if (
    source.vocabularySize !== model.sourceEmbedding.vocabularySize ||
    target.vocabularySize !== model.targetEmbedding.vocabularySize
  ) {
    throw new CudnnGruError('ERR_FORMAT', 'the vocabularies are not of the sizes that the model has');
  }
  const { longestTarget = 200 } = json;
  if (!Number.isSafeInteger(longestTarget) || (longestTarget as number) < 1) {
    throw new CudnnGruError('ERR_FORMAT', 'the length of the longest target is no positive integer');
  }
  return { source, target, longestTarget: longestTarget as number };
}
