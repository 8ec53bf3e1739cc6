// How good predictions are: numbers on the host, no tensors. Exported to users as `metrics`.
export { fitTemperature, type Reliability, reliability } from './calibration.js';
export {
  accuracy,
  type ClassificationScores,
  classificationScores,
  confusionMatrix,
  logLoss,
} from './classification.js';
export {
  averagePrecision,
  type DetectionScores,
  detectionScores,
  type EventScores,
  eventScores,
  precisionRecallCurve,
  rocAuc,
} from './detection.js';
export {
  type ForecastErrors,
  forecastErrors,
  naiveScale,
  type QuantileErrors,
  quantileErrors,
  quantiles,
  smape,
} from './forecasting.js';
export { type EditCounts, editCounts, type SequenceErrors, sequenceErrors } from './sequences.js';
