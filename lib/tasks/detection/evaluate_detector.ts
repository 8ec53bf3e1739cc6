import { checkNumber, checkOptions, checkString, quote } from '../../arguments.js';
import type { Table } from '../../data/csv.js';
import { CudnnGruError } from '../../errors.js';
import {
  averagePrecision,
  type DetectionScores,
  detectionScores,
  type EventScores,
  eventScores,
  rocAuc,
} from '../../metrics/detection.js';
import { detectionSeries } from './detection_series.js';
import type { AnomalyDetector } from './detector.js';
import { detectionPreprocessingOf } from './preprocessing.js';
import { scoreRows } from './score_rows.js';
import { rollingQuantileScores, rollingZScores, zScores } from './simple_detectors.js';
import { subsequenceDistances } from './subsequence_distances.js';

/** How well a score tells labelled rows from the others. */
export interface RankingScores {
  /** Area under the precision-recall curve. */
  readonly averagePrecision: number;
  readonly rocAuc: number;
}

// Comparing all sub-sequences takes time with the square of the rows.
const comparedRows = 50_000;

/** How good a detector is, beside what can be had without a model. */
export interface DetectorEvaluation extends RankingScores {
  /** [rows of the table]. */
  readonly scores: Float64Array;
  readonly labels: Uint8Array;
  /** Alarms at the model's threshold, row by row and event by event. */
  readonly rows: DetectionScores;
  readonly events: EventScores;
  /** The share of labelled rows: the average precision of a score that knows nothing. */
  readonly labelled: number;
  /**
   * By name: `z-score`, `rolling z-score`, `rolling quantile`; unless a series has more than 50,000 rows `sub-sequence distance`, which sees the
   * later rows too, and `sub-sequence distance, past only`, which does not, as the model.
   */
  readonly baselines: Readonly<Record<string, RankingScores>>;
}

/**
 * Scores the rows of a table and compares with their labels.
 *
 * @param options label: the column that is above 0 where a row is anomalous; from: the share of each series at its start that is left out,
 * because the training saw it; default 0
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a table without the columns, or whose labels are all alike; `ERR_FORMAT`
 */
export async function evaluateDetector(
  model: AnomalyDetector,
  table: Table,
  options: { label: string; from?: number },
): Promise<DetectorEvaluation> {
  checkOptions(options, 'options', ['label', 'from']);
  const label = checkString(options.label, 'label');
  const from = checkNumber(options.from ?? 0, 'from', { min: 0, below: 1 });
  const { inputs, entity, threshold, window } = detectionPreprocessingOf(model);
  const parts: { labels: number[]; model: number[]; baselines: Map<string, number[]> }[] = [];
  for (const series of detectionSeries(table, { inputs, entity, label })) {
    const rows = series.tableRows.length;
    const first = Math.round(from * rows);
    const late = (scores: ArrayLike<number>) => Array.from(scores).slice(first);
    const recent = Math.max(window, 32);
    const baselines = new Map([
      // With nothing left out, all rows say what is usual.
      ['z-score', late(zScores(series, first || rows))],
      ['rolling z-score', late(rollingZScores(series, recent))],
      ['rolling quantile', late(rollingQuantileScores(series, recent))],
    ]);
    if (rows <= comparedRows) {
      const { all, past } = await subsequenceDistances(series, recent);
      baselines.set('sub-sequence distance', late(all)).set('sub-sequence distance, past only', late(past));
    }
    parts.push({ labels: late(series.labels as Uint8Array), model: late(await scoreRows(model, series)), baselines });
  }
  const [labels, scores] = [parts.flatMap((part) => part.labels), parts.flatMap((part) => part.model)];
  const labelled = labels.reduce((sum, value) => sum + value, 0) / labels.length;
  if (labelled === 0 || labelled === 1) {
    throw new CudnnGruError('ERR_DATA', `${table.source}, column ${quote(label)}: all rows have the same label`);
  }
  const rank = (of: readonly number[]) => ({
    averagePrecision: averagePrecision(of, labels),
    rocAuc: rocAuc(of, labels),
  });
  const alarms = (of: readonly number[]) => of.map((score) => Number(score > threshold));
  // A row of zeros behind each series, so that no event goes on in the next one.
  const apart = (of: (part: (typeof parts)[number]) => number[]) => parts.flatMap((part) => [...of(part), 0]);
  return {
    scores: Float64Array.from(scores),
    labels: Uint8Array.from(labels),
    ...rank(scores),
    rows: detectionScores(alarms(scores), labels),
    events: eventScores(
      apart((part) => alarms(part.model)),
      apart((part) => part.labels),
    ),
    labelled,
    baselines: Object.fromEntries(
      [...(parts[0]?.baselines.keys() ?? [])]
        .filter((name) => parts.every(({ baselines }) => baselines.has(name)))
        .map((name) => [name, rank(parts.flatMap(({ baselines }) => baselines.get(name) as number[]))]),
    ),
  };
}
