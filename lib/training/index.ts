export { type FoundLearningRate, findLearningRate, type LearningRateSearch } from './find_learning_rate.js';
export { type ProgressDisplay, progressDisplay } from './progress_display.js';
export { Trainer } from './trainer.js';
export type {
  Carried,
  EpochRecord,
  LossFunction,
  Progress,
  TrainerOptions,
  TrainingBatch,
  TrainingResult,
} from './types.js';
