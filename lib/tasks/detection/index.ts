export { type DetectionSeries, detectionSeries } from './detection_series.js';
export { type Detection, DetectionStream } from './detection_stream.js';
export { AnomalyDetector, type AnomalyDetectorOptions, type DetectionMethod } from './detector.js';
export { writeDetectorReport } from './detector_report.js';
export { type DetectorEvaluation, evaluateDetector, type RankingScores } from './evaluate_detector.js';
export { type DetectionPreprocessing, detectionPreprocessingOf } from './preprocessing.js';
export { scoreRows } from './score_rows.js';
export { rollingQuantileScores, zScores } from './simple_detectors.js';
export { type TrainDetectorOptions, type TrainedDetector, trainDetector } from './train_detector.js';
