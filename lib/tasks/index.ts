export type { Cycle } from './calendar.js';
export * from './classification/index.js';
export { type EvaluationOptions, evaluateForecaster, type ForecastEvaluation } from './evaluate_forecaster.js';
export { evaluationTable } from './evaluation_table.js';
export { type Forecasts, forecastColumns, writeForecasts } from './forecast_csv.js';
export { type ForecastPreprocessing, preprocessingOf } from './forecast_inputs.js';
export { Forecaster, type ForecasterOptions } from './forecaster.js';
export { writeForecasterReport } from './forecaster_report.js';
export { type TrainedForecaster, type TrainForecasterOptions, trainForecaster } from './train_forecaster.js';
