export { Classifier, type ClassifierOptions, type Pooling } from './classifier.js';
export {
  type ClassifierEvaluation,
  type ClassifierPreprocessing,
  classifierPreprocessingOf,
  evaluateClassifier,
  predictClasses,
} from './evaluate_classifier.js';
export { type TrainClassifierOptions, type TrainedClassifier, trainClassifier } from './train_classifier.js';
