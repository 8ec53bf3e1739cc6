import type { Table } from '../../data/csv.js';
import { detectionSeries } from './detection_series.js';
import type { DetectorEvaluation } from './evaluate_detector.js';
import { detectionPreprocessingOf } from './preprocessing.js';
import { scoreRows } from './score_rows.js';
import type { TrainedDetector } from './train_detector.js';

/**
 * Writes one self-contained HTML file about a training: the scores of the table's rows over time with the threshold, loss curves, the
 * configuration; how well the scores rank the test rows, beside the simple detectors'.
 *
 * @param options label: the column that is above 0 in rows that are known to be anomalous
 * @throws CudnnGruError `ERR_DATA`, `ERR_FILE`
 */
export async function writeDetectorReport(
  path: string,
  { model, result, evaluation }: TrainedDetector,
  table: Table,
  options: { label?: string; title?: string } = {},
): Promise<void> {
  const { task, threshold, ...data } = detectionPreprocessingOf(model);
  const { inputs, entity } = data;
  const series = [];
  for (const one of detectionSeries(table, { inputs, entity, label: options.label ?? null })) {
    series.push({ name: one.entity, scores: await scoreRows(model, one), labels: one.labels });
  }
  const { writeDetectionReport } = await import('../../report/index.js');
  await writeDetectionReport(path, {
    title: options.title ?? 'Anomaly detection',
    subtitle: inputs.join(', '),
    configuration: { model: model.architecture().options, data, training: model.summary },
    history: result.history,
    threshold,
    series,
    evaluation: evaluation && { model: evaluation.averagePrecision, baselines: averagePrecisions(evaluation) },
  });
}

function averagePrecisions({ baselines }: DetectorEvaluation): Record<string, number> {
  return Object.fromEntries(Object.entries(baselines).map(([name, { averagePrecision }]) => [name, averagePrecision]));
}
