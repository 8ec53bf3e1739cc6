import { checkInteger, checkNumber, checkOptions, checkSeed } from '../arguments.js';
import { RandomStream } from '../data/random.js';
import { CudnnGruError } from '../errors.js';
import { checkDecoding, type DecodingOptions, decodingOptions, type Hypothesis } from './options.js';
import { largest, rank } from './scores.js';
import { advance, disposeState, type TokenModel } from './token_model.js';

export interface GenerateOptions extends DecodingOptions {
  /** The logits are divided by it before a token is drawn; 0 takes the most probable one (greedy). Default: 0. */
  temperature?: number;
  /** Draws from so many most probable tokens only. Default: all. */
  topK?: number;
  /** Draws from the most probable tokens that together have this probability (Holtzman et al. 2020). Default: 1, all. */
  topP?: number;
  /** What is drawn for a row follows from the seed and the row's number alone. Default: 0. */
  seed?: number;
}

/** One token of one row. */
export interface GeneratedToken {
  row: number;
  /** The end token comes last, where one came. */
  token: number;
  /** As the model gives it. */
  logProbability: number;
}

/**
 * Tokens one after another, as they are found: greedily, or drawn from the model's probabilities. All rows advance together, one forward pass
 * for each step. Leaving the loop ends the search.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_NON_FINITE`, `ERR_DATA` when nothing may come next
 */
export async function* stream(model: TokenModel, options: GenerateOptions): AsyncGenerator<GeneratedToken> {
  checkOptions(options, 'options', [...decodingOptions, 'temperature', 'topK', 'topP', 'seed']);
  const settings = checkDecoding(model, options);
  const temperature = checkNumber(options.temperature ?? 0, 'temperature', { min: 0 });
  const topK = checkInteger(options.topK ?? model.vocabularySize, 'topK', { min: 1 });
  const topP = checkNumber(options.topP ?? 1, 'topP', { above: 0, max: 1 });
  const seed = checkSeed(options.seed ?? 0);
  const { start, maxLength, endToken, signal } = settings;
  const randoms = Array.from(start, (_, row) => new RandomStream(seed, row + 1));
  const found = Array.from(start, (): number[] => []);
  const open = new Set(found.keys());
  const last = start.slice();
  let state = settings.state;
  try {
    for (let length = 0; length < maxLength && open.size > 0; length++) {
      signal?.throwIfAborted();
      const next = await advance(model, last, state);
      if (state !== settings.state) disposeState(state);
      state = next.state;
      for (const row of open) {
        const logProbabilities = rowOf(next.logProbabilities, row, model.vocabularySize);
        const tokens = found[row] as number[];
        const ranked = rank(logProbabilities, settings, tokens, row);
        const token = draw(ranked, largest(ranked, topK), temperature, topP, randoms[row] as RandomStream);
        if (token === undefined) throw nothingLeft(row);
        last[row] = token;
        if (token === endToken) open.delete(row);
        else tokens.push(token);
        yield { row, token, logProbability: logProbabilities[token] as number };
      }
    }
  } finally {
    if (state !== settings.state) disposeState(state);
  }
}

/**
 * As `stream`, all tokens at once: one hypothesis for each row, its score being its log-probability.
 *
 * @throws as `stream`
 */
export async function generate(model: TokenModel, options: GenerateOptions): Promise<Hypothesis[]> {
  const hypotheses = Array.from({ length: options?.start?.length ?? 0 }, (): Hypothesis => {
    return { tokens: [], logProbability: 0, score: 0, finished: false };
  });
  for await (const { row, token, logProbability } of stream(model, options)) {
    const hypothesis = hypotheses[row] as Hypothesis;
    hypothesis.logProbability += logProbability;
    hypothesis.score = hypothesis.logProbability;
    if (token === options.endToken) hypothesis.finished = true;
    else hypothesis.tokens.push(token);
  }
  return hypotheses;
}

/** @internal */
export function rowOf(values: Float32Array, row: number, columns: number): Float32Array {
  return values.subarray(row * columns, (row + 1) * columns);
}

/** @internal */
export function nothingLeft(row: number): CudnnGruError {
  return new CudnnGruError('ERR_DATA', `decoding: no token with a probability above 0 may come next in row ${row}`);
}

// One of `candidates`, most probable first; undefined if there are none.
function draw(
  ranked: Float32Array,
  candidates: readonly number[],
  temperature: number,
  topP: number,
  random: RandomStream,
): number | undefined {
  const [first] = candidates;
  if (first === undefined || temperature === 0) return first;
  const top = ranked[first] as number;
  const powers = candidates.map((token) => Math.exp(((ranked[token] as number) - top) / temperature));
  const all = powers.reduce((sum, power) => sum + power, 0);
  let kept = 0;
  let total = 0;
  while (kept < powers.length && (kept === 0 || total < topP * all)) total += powers[kept++] as number;
  let left = ((random.word() + 0.5) / 2 ** 32) * total;
  for (let i = 0; i < kept; i++) {
    left -= powers[i] as number;
    if (left < 0) return candidates[i];
  }
  return candidates[kept - 1];
}
