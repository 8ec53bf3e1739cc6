// Exported to users as `text`.
export { CharacterTokenizer, type CharacterTokenizerOptions } from './character_tokenizer.js';
export type { TokenKind } from './learn_tokenizer.js';
export { SubwordTokenizer, type SubwordTokenizerOptions } from './subword_tokenizer.js';
export { specialTokens, type Tokenizer } from './tokenizer.js';
export { tokenizerFromJson } from './tokenizer_from_json.js';
export { type WordSplit, WordTokenizer, type WordTokenizerOptions } from './word_tokenizer.js';
