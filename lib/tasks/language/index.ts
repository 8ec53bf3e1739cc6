export {
  evaluateLanguageModel,
  type LanguageEvaluation,
  languageTokenizerOf,
  surpriseOf,
  type TokenSurprise,
} from './evaluate_language_model.js';
export { type GenerateTextOptions, generateText } from './generate_text.js';
export { LanguageModel, type LanguageModelOptions } from './language_model.js';
export { type LanguageReportOptions, writeLanguageReport } from './language_report.js';
export {
  type TrainedLanguageModel,
  type TrainLanguageModelOptions,
  trainLanguageModel,
} from './train_language_model.js';
