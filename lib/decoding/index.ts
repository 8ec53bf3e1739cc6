// Exported to users as `decoding`.
export { type BeamSearchOptions, beamSearch } from './beam_search.js';
export { type CtcBeamSearchOptions, type CtcHypothesis, ctcBeamSearch } from './ctc_beam_search.js';
export { type CtcDecodingOptions, type CtcGreedyResult, ctcGreedy } from './ctc_greedy.js';
export { type GeneratedToken, type GenerateOptions, generate, stream } from './generate.js';
export { NgramModel, type NgramModelOptions } from './ngram_model.js';
export type { DecodingOptions, Hypothesis } from './options.js';
export { type PrefixModel, tokenPrefixModel } from './prefix_model.js';
export type { TokenModel, TokenState } from './token_model.js';
