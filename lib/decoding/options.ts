import { checkFunction, checkInteger, checkNumber, checkPositiveInteger, wrongKind, wrongRange } from '../arguments.js';
import { Tensor } from '../tensor/tensor.js';
import type { TokenModel, TokenState } from './token_model.js';

/** What every search for tokens takes. */
export interface DecodingOptions {
  /** Row by row the token to begin with: a start token, or the last one of a prompt. */
  start: ArrayLike<number>;
  /** The model's state before `start`, one row for each; stays the caller's. Default: none, for a model that remembers nothing. */
  state?: TokenState;
  /** The most tokens to find, the end token not counted. */
  maxLength: number;
  /** The end token is not taken before so many others. Default: 0. */
  minLength?: number;
  /** The token that ends a row. Default: none, every row has `maxLength` tokens. */
  endToken?: number;
  /**
   * The logarithm of the probability of a token that the row already has (its start or one that was found) is multiplied by it: above 1 it is
   * avoided, after Keskar et al. (2019). Default: 1.
   */
  repetitionPenalty?: number;
  /**
   * The tokens that may come next, for a row of `start` and what was found for it so far; undefined: all. The end token is one of them.
   * None at all is an error.
   */
  allowed?: (tokens: readonly number[], row: number) => ArrayLike<number> | undefined;
  /** Stops the search with its `reason`. */
  signal?: AbortSignal;
}

/** A sequence that was found. */
export interface Hypothesis {
  /** Without start and end token. */
  tokens: number[];
  /** Σ log p of the tokens, and of the end token where it came, as the model gives them. */
  logProbability: number;
  /** What the search ranks by: see there. */
  score: number;
  /** Whether the end token came; false: `maxLength` was reached. */
  finished: boolean;
}

/** @internal */
export const decodingOptions = [
  'start',
  'state',
  'maxLength',
  'minLength',
  'endToken',
  'repetitionPenalty',
  'allowed',
  'signal',
];

/** @internal `DecodingOptions`, checked and complete. */
export interface Settings {
  start: Int32Array;
  state: TokenState;
  maxLength: number;
  minLength: number;
  /** -1: none. */
  endToken: number;
  repetitionPenalty: number;
  allowed: DecodingOptions['allowed'];
  signal: AbortSignal | undefined;
}

/** @internal @throws TypeError, RangeError */
export function checkDecoding(model: TokenModel, options: DecodingOptions): Settings {
  if (typeof model?.step !== 'function') throw wrongKind('model', 'a TokenModel', model);
  const most = model.vocabularySize - 1;
  const { start, state = [], endToken, allowed, signal } = options;
  if (!Array.isArray(start) && !ArrayBuffer.isView(start)) throw wrongKind('start', 'an array of tokens', start);
  if (start.length === 0) throw wrongRange('start', 'at least one token', start);
  const tokens = Int32Array.from(start, (token, row) => checkInteger(token, `start[${row}]`, { min: 0, max: most }));
  for (const [i, tensor] of state.entries()) {
    if (!(tensor instanceof Tensor)) throw wrongKind(`state[${i}]`, 'a Tensor', tensor);
    if (tensor.rank !== 3 || tensor.shape[1] !== tokens.length) {
      throw wrongRange(`state[${i}]`, `shape [layers, ${tokens.length}, features]`, tensor);
    }
  }
  if (allowed !== undefined) checkFunction(allowed, 'allowed');
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrongKind('signal', 'an AbortSignal', signal);
  const maxLength = checkPositiveInteger(options.maxLength, 'maxLength');
  return {
    start: tokens,
    state,
    maxLength,
    minLength: checkInteger(options.minLength ?? 0, 'minLength', { min: 0, max: maxLength }),
    endToken: endToken === undefined ? -1 : checkInteger(endToken, 'endToken', { min: 0, max: most }),
    repetitionPenalty: checkNumber(options.repetitionPenalty ?? 1, 'repetitionPenalty', { above: 0 }),
    allowed,
    signal,
  };
}
