export { writeForecastReport } from './forecast_report.js';
export type { ForecastReport, ForecastSeries, MethodErrors, ReportedEpoch } from './types.js';
