import { type DetectionSeries, scaledRows } from './detection_series.js';
import type { AnomalyDetector } from './detector.js';
import { type DetectionPreprocessing, detectionPreprocessingOf } from './preprocessing.js';
import { type ErrorJudge, RowJudge } from './row_judge.js';
import { rowReader } from './row_reader.js';

/**
 * How unusual each row is, about 1 for a normal one: the root mean square of its errors in units of what normal rows have, smoothed,
 *
 *     s[t]² = 1/F Σ_f ((x - x̂)_f / (σ_kf l_f[t] w_f[t]))²
 *     score[t] = score[t-1] + (s[t] - score[t-1]) / (1 + smoothing),  score[-1] = 1
 *
 * With `forecast`, while s is above the gate, for `hold` rows at most until as many were below it, the model goes on from what it expected and not from the strange
 * row, so that a shift that lasts does not become normal; k counts these rows, and σ_k is what normal rows differ by from an expectation that
 * old. With `reconstruct` the mean is also over the rows of the window that ends with row t. l follows the median of the series' own
 * errors: l[t+1] = l[t] e^(±1 / adaptation), + where the error is above the median of normal rows times l[t]. w is 1
 * but for the first rows of a series, whose errors are larger since little came before them.
 *
 * @returns [rows]
 * @throws CudnnGruError `ERR_FORMAT` for a model without preprocessing
 */
export async function scoreRows(model: AnomalyDetector, series: DetectionSeries): Promise<Float64Array> {
  const preprocessing = detectionPreprocessingOf(model);
  return readAll(model, scaledRows(series, preprocessing), preprocessing, new RowJudge(preprocessing));
}

/** @internal Lets `judge` see the errors of all rows, which are scaled: [rows, features]. */
export async function readAll(
  model: AnomalyDetector,
  rows: Float32Array,
  { window }: Pick<DetectionPreprocessing, 'window'>,
  judge: ErrorJudge,
): Promise<Float64Array> {
  const wasTraining = model.training;
  model.eval();
  const reader = rowReader(model, window, judge);
  try {
    return await reader.read(rows);
  } finally {
    reader.dispose();
    if (wasTraining) model.train();
  }
}
