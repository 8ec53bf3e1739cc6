export { AttentionLayer, type AttentionLayerOptions, type AttentionScore } from './attention_layer.js';
export {
  type DecoderInputs,
  EncoderDecoder,
  type EncoderDecoderOptions,
  type Memory,
} from './encoder_decoder.js';
export { PairDataset, type TextPair, type TokenPair } from './pair_dataset.js';
export { scoreTranslations, type TranslationScore } from './score_translations.js';
export {
  type TrainedTranslator,
  type TrainTranslatorOptions,
  trainTranslator,
} from './train_translator.js';
export {
  type Alignment,
  alignmentOf,
  evaluateTranslator,
  type TranslateOptions,
  type Translation,
  translate,
  translationTokenizersOf,
} from './translate.js';
export { writeTranslatorReport } from './translator_report.js';
