export { AttentionPooling, type AttentionPoolingOptions } from './attention_pooling.js';
export { classificationTable } from './classification_table.js';
export { Classifier, type ClassifierOptions, type Pooling } from './classifier.js';
export { writeClassifierReport } from './classifier_report.js';
export {
  type ClassifierEvaluation,
  type ClassifierPreprocessing,
  classifierPreprocessingOf,
  evaluateClassifier,
  predictClasses,
} from './evaluate_classifier.js';
export {
  classifyEntities,
  type EntityClasses,
  evaluateEventClassifier,
  type TrainEventClassifierOptions,
  trainEventClassifier,
} from './event_classifier.js';
export { type EventClassifierPreprocessing, type EventQuestion, eventPreprocessingOf } from './event_inputs.js';
export {
  classifyTexts,
  evaluateTextClassifier,
  type TextClasses,
  type TrainTextClassifierOptions,
  trainTextClassifier,
} from './text_classifier.js';
export { type TextClassifierPreprocessing, textPreprocessingOf } from './text_inputs.js';
export { type TrainClassifierOptions, type TrainedClassifier, trainClassifier } from './train_classifier.js';
