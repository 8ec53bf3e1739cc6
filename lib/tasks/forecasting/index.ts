export { type Backtest, type BacktestFold, backtestForecaster } from './backtest.js';
export type { Cycle } from './calendar.js';
export { type EvaluationOptions, evaluateForecaster, type ForecastEvaluation } from './evaluate_forecaster.js';
export { backtestTable, evaluationTable } from './evaluation_table.js';
export { type Forecasts, forecastColumns, writeForecasts } from './forecast_csv.js';
export { Forecaster, type ForecasterOptions, type PredictOptions } from './forecaster.js';
export { writeForecasterReport } from './forecaster_report.js';
export { type ForecastPreprocessing, preprocessingOf, type SeriesScaling } from './preprocessing.js';
export { type TrainedForecaster, type TrainForecasterOptions, trainForecaster } from './train_forecaster.js';
