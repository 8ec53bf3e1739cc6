import { CudnnGruError } from '../errors.js';
import { CharacterTokenizer } from './character_tokenizer.js';
import { SubwordTokenizer } from './subword_tokenizer.js';
import { checkPieces, type Tokenizer, Vocabulary } from './tokenizer.js';
import { WordTokenizer } from './word_tokenizer.js';

/** The tokenizer that `toJSON` described, as it stands in a model's `preprocessing`. @throws CudnnGruError `ERR_FORMAT` */
export function tokenizerFromJson(json: unknown): Tokenizer {
  const { kind, ...rest } = (json ?? {}) as Record<string, unknown>;
  switch (kind) {
    case 'characters':
      return new CharacterTokenizer(new Vocabulary(checkPieces(rest.pieces, 'characters')));
    case 'words':
      if (rest.split !== 'words' && rest.split !== 'whitespace') break;
      return new WordTokenizer(new Vocabulary(checkPieces(rest.pieces, 'words')), rest.split, rest.lowerCase === true);
    case 'subwords': {
      const merges = checkPieces(rest.merges, 'merges');
      if (merges.some((merge) => !/^\S+ \S+$/.test(merge))) break;
      return new SubwordTokenizer(checkPieces(rest.characters, 'characters'), merges);
    }
  }
  throw new CudnnGruError('ERR_FORMAT', 'the tokenizer is of no kind that is known here');
}
