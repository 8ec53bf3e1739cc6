export { accuracy, type ForecastErrors, forecastErrors, naiveScale } from './metrics.js';
export { Trainer } from './trainer.js';
export type { EpochRecord, LossFunction, Progress, TrainerOptions, TrainingBatch, TrainingResult } from './types.js';
