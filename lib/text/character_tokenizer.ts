import { checkOptions, checkPositiveInteger } from '../arguments.js';
import type { JsonValue } from '../layers/module.js';
import { checkText, checkTexts, countPieces, type Tokenizer, Vocabulary } from './tokenizer.js';

export interface CharacterTokenizerOptions {
  /** Characters that came less often are unknown. Default: 1. */
  minCount?: number;
}

/** Every character (Unicode code point) is a token. */
export class CharacterTokenizer implements Tokenizer {
  readonly #vocabulary: Vocabulary;

  /** @internal */
  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** The characters of these texts. @throws TypeError, RangeError */
  static of(texts: Iterable<string>, options: CharacterTokenizerOptions = {}): CharacterTokenizer {
    checkOptions(options, 'options', ['minCount']);
    const minCount = checkPositiveInteger(options.minCount ?? 1, 'minCount');
    const counts = new Map<string, number>();
    for (const text of checkTexts(texts)) countPieces(text, counts);
    return new CharacterTokenizer(Vocabulary.ofCounts(counts, minCount));
  }

  get vocabularySize(): number {
    return this.#vocabulary.size;
  }

  encode(text: string): Int32Array {
    return Int32Array.from([...checkText(text)], (character) => this.#vocabulary.numberOf(character));
  }

  decode(tokens: ArrayLike<number>): string {
    return this.#vocabulary.textsOf(tokens).join('');
  }

  toJSON(): JsonValue {
    return { kind: 'characters', pieces: this.#vocabulary.own };
  }
}
