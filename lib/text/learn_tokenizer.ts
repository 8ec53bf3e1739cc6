import { checkOneOf, checkPositiveInteger } from '../arguments.js';
import { CharacterTokenizer } from './character_tokenizer.js';
import { SubwordTokenizer } from './subword_tokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { WordTokenizer } from './word_tokenizer.js';

/** What tokens are: characters, words and signs, what stands between white space, or pieces of words. */
export type TokenKind = 'characters' | 'words' | 'whitespace' | 'subwords';

/** @internal */
export const tokenKinds = ['characters', 'words', 'whitespace', 'subwords'] as const;

/** @internal How large a vocabulary becomes. */
export interface VocabularyOptions {
  /** The most words or subword pieces, the most frequent ones. */
  vocabulary: number;
  /** Words or characters that came less often are unknown. Default: 1. */
  minCount?: number | undefined;
}

/** @internal A tokenizer of a kind, learnt from texts; or the one that is given. @throws TypeError, RangeError */
export async function learnTokenizer(
  texts: Iterable<string>,
  kind: TokenKind | Tokenizer,
  name: string,
  options: VocabularyOptions,
): Promise<Tokenizer> {
  const vocabulary = checkPositiveInteger(options.vocabulary, 'vocabulary');
  const minCount = checkPositiveInteger(options.minCount ?? 1, 'minCount');
  if (typeof kind === 'object') return kind;
  switch (checkOneOf(kind, name, tokenKinds)) {
    case 'characters':
      return CharacterTokenizer.of(texts, { minCount });
    case 'subwords':
      return SubwordTokenizer.of(texts, { pieces: vocabulary, minCount });
    case 'whitespace':
      return WordTokenizer.of(texts, { split: 'whitespace', maxWords: vocabulary, minCount });
    default:
      return WordTokenizer.of(texts, { maxWords: vocabulary, minCount });
  }
}
