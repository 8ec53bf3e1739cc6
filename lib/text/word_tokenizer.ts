import { checkBoolean, checkOneOf, checkOptions, checkPositiveInteger } from '../arguments.js';
import type { JsonValue } from '../layers/module.js';
import { checkText, checkTexts, countPieces, type Tokenizer, Vocabulary } from './tokenizer.js';

/** What a token is: a word, number or sign; or whatever stands between white space. */
export type WordSplit = 'words' | 'whitespace';

export interface WordTokenizerOptions {
  /** Default: 'words'. */
  split?: WordSplit;
  /** Default: false. */
  lowerCase?: boolean;
  /** Words that came less often are unknown. Default: 1. */
  minCount?: number;
  /** The most words, the most frequent ones. Default: all. */
  maxWords?: number;
}

// Letters with marks, apostrophes and hyphens inside; digits; any other sign alone.
const word = /\p{L}[\p{L}\p{M}]*(?:['’-][\p{L}\p{M}]+)*|\p{N}+|[^\s\p{L}\p{N}]/gu;

/** Words are tokens. Decoding puts a space before each, but not before signs that close, nor behind those that open. */
export class WordTokenizer implements Tokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #split: WordSplit;
  readonly #lowerCase: boolean;

  /** @internal */
  constructor(vocabulary: Vocabulary, split: WordSplit, lowerCase: boolean) {
    this.#vocabulary = vocabulary;
    this.#split = split;
    this.#lowerCase = lowerCase;
  }

  /** The words of these texts. @throws TypeError, RangeError */
  static of(texts: Iterable<string>, options: WordTokenizerOptions = {}): WordTokenizer {
    checkOptions(options, 'options', ['split', 'lowerCase', 'minCount', 'maxWords']);
    const split = checkOneOf(options.split ?? 'words', 'split', ['words', 'whitespace']);
    const lowerCase = checkBoolean(options.lowerCase ?? false, 'lowerCase');
    const minCount = checkPositiveInteger(options.minCount ?? 1, 'minCount');
    const most = options.maxWords && checkPositiveInteger(options.maxWords, 'maxWords');
    const counts = new Map<string, number>();
    for (const text of checkTexts(texts)) countPieces(wordsOf(text, split, lowerCase), counts);
    return new WordTokenizer(Vocabulary.ofCounts(counts, minCount, most), split, lowerCase);
  }

  get vocabularySize(): number {
    return this.#vocabulary.size;
  }

  encode(text: string): Int32Array {
    const words = wordsOf(checkText(text), this.#split, this.#lowerCase);
    return Int32Array.from(words, (piece) => this.#vocabulary.numberOf(piece));
  }

  decode(tokens: ArrayLike<number>): string {
    const text = this.#vocabulary.textsOf(tokens).join(' ');
    return this.#split === 'whitespace' ? text : text.replace(/ (?=[.,;:!?)\]}…])|(?<=[([{]) /g, '');
  }

  toJSON(): JsonValue {
    return { kind: 'words', split: this.#split, lowerCase: this.#lowerCase, pieces: this.#vocabulary.own };
  }
}

/** @internal */
export function wordsOf(text: string, split: WordSplit, lowerCase = false): string[] {
  const source = lowerCase ? text.toLowerCase() : text;
  return split === 'words' ? (source.match(word) ?? []) : source.split(/\s+/).filter((piece) => piece !== '');
}
