export { type ClassificationReport, writeClassificationReport } from './classification_report.js';
export { type DetectionReport, writeDetectionReport } from './detection_report.js';
export { writeForecastReport } from './forecast_report.js';
export { type TextReport, writeTextReport } from './text_report.js';
export { type TranscriptionReport, writeTranscriptionReport } from './transcription_report.js';
export { type TranslationReport, writeTranslationReport } from './translation_report.js';
export type {
  ForecastFan,
  ForecastQuantiles,
  ForecastReport,
  ForecastSeries,
  MethodErrors,
  ReportedEpoch,
} from './types.js';
