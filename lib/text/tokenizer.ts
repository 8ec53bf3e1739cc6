import { checkString, wrongKind } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { JsonValue } from '../layers/module.js';

/** Tokens that every vocabulary begins with. */
export const specialTokens = { padding: 0, unknown: 1, start: 2, end: 3 } as const;

const specialNames = ['<pad>', '<unk>', '<s>', '</s>'];

/** Text to token numbers and back. */
export interface Tokenizer {
  readonly vocabularySize: number;
  /** Token numbers of a text, without start and end; what the vocabulary lacks is `specialTokens.unknown`. */
  encode(text: string): Int32Array;
  /** The text of token numbers; special tokens are left out, but unknown ones are `�`. */
  decode(tokens: ArrayLike<number>): string;
  /** What `tokenizerFromJson` makes it from again; goes into a model's `preprocessing`. */
  toJSON(): JsonValue;
}

/** @internal Which pieces of text have which number. */
export class Vocabulary {
  /** Pieces by number; the first are the special ones. */
  readonly pieces: readonly string[];
  readonly #numbers: Map<string, number>;

  constructor(pieces: Iterable<string>) {
    this.pieces = [...specialNames, ...pieces];
    this.#numbers = new Map(this.pieces.map((piece, i) => [piece, i]));
    if (this.#numbers.size < this.pieces.length) {
      throw new CudnnGruError(
        'ERR_FORMAT',
        'the vocabulary has a piece twice, or one that is named as a special token',
      );
    }
  }

  /**
   * @param counts how often each piece came
   * @param most pieces to keep, the most frequent ones; of equal ones the first in the alphabet
   */
  static ofCounts(counts: ReadonlyMap<string, number>, minCount: number, most = Number.POSITIVE_INFINITY): Vocabulary {
    const kept = [...counts]
      .filter(([piece, count]) => count >= minCount && !specialNames.includes(piece))
      .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
    return new Vocabulary(kept.slice(0, most).map(([piece]) => piece));
  }

  get size(): number {
    return this.pieces.length;
  }

  /** The pieces that are not special. */
  get own(): readonly string[] {
    return this.pieces.slice(specialNames.length);
  }

  numberOf(piece: string): number {
    const number = this.#numbers.get(piece);
    return number === undefined || number < specialNames.length ? specialTokens.unknown : number;
  }

  /** The texts of tokens, without special ones; `�` for the unknown one. @throws RangeError for a number that is no token */
  textsOf(tokens: ArrayLike<number>): string[] {
    return Array.from(tokens, (token) => {
      const piece = this.pieces[token];
      if (piece === undefined) {
        throw new CudnnGruError('ERR_INDEX_OUT_OF_RANGE', `decode: token ${token} is not one of ${this.size}`);
      }
      if (token === specialTokens.unknown) return '�';
      return token < specialNames.length ? '' : piece;
    }).filter((piece) => piece !== '');
  }
}

/** @internal The texts to learn a vocabulary from, checked one by one. */
export function* checkTexts(texts: Iterable<string>): Generator<string> {
  if (typeof texts === 'string' || typeof texts?.[Symbol.iterator] !== 'function') {
    throw wrongKind('texts', 'an array or iterable of strings', texts);
  }
  let i = 0;
  for (const text of texts) {
    if (typeof text !== 'string') throw wrongKind(`texts[${i}]`, 'a string', text);
    yield text;
    i++;
  }
}

/** @internal Texts of a file, for a tokenizer. @throws CudnnGruError `ERR_FORMAT` */
export function checkPieces(json: unknown, name: string): string[] {
  if (!Array.isArray(json) || json.some((piece) => typeof piece !== 'string' || piece === '')) {
    throw new CudnnGruError('ERR_FORMAT', `the tokenizer's ${name} are not a list of texts`);
  }
  return json as string[];
}

/** @internal */
export function countPieces(pieces: Iterable<string>, counts: Map<string, number>): void {
  for (const piece of pieces) counts.set(piece, (counts.get(piece) ?? 0) + 1);
}

/** @internal */
export function checkText(text: unknown): string {
  return text === '' ? '' : checkString(text, 'text');
}
