import { checkOneOf } from '../arguments.js';
import { CharacterTokenizer } from './character_tokenizer.js';
import { SubwordTokenizer } from './subword_tokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { WordTokenizer } from './word_tokenizer.js';

/** What tokens are: characters, words and signs, what stands between white space, or pieces of words. */
export type TokenKind = 'characters' | 'words' | 'whitespace' | 'subwords';

/** @internal */
export const tokenKinds = ['characters', 'words', 'whitespace', 'subwords'] as const;

/**
 * @internal A tokenizer of a kind, learnt from texts.
 *
 * @param vocabulary the most words or subword pieces, the most frequent ones
 */
export async function learnTokenizer(
  texts: Iterable<string>,
  kind: TokenKind,
  name: string,
  vocabulary: number,
): Promise<Tokenizer> {
  switch (checkOneOf(kind, name, tokenKinds)) {
    case 'characters':
      return CharacterTokenizer.of(texts);
    case 'subwords':
      return SubwordTokenizer.of(texts, { pieces: vocabulary });
    case 'whitespace':
      return WordTokenizer.of(texts, { split: 'whitespace', maxWords: vocabulary });
    default:
      return WordTokenizer.of(texts, { maxWords: vocabulary });
  }
}
