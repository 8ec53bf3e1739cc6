import { RandomStream } from '../../data/random.js';
import { averagePrecision } from '../../metrics/detection.js';
import type { AnomalyDetector } from './detector.js';
import { injectAnomalies } from './inject_anomalies.js';
import type { DetectionPreprocessing } from './preprocessing.js';
import { RowJudge } from './row_judge.js';
import { readAll } from './score_rows.js';

// How often each series is changed anew.
const artificialRounds = 3;

/** @internal */
export type Scoring = Pick<DetectionPreprocessing, 'hold' | 'smoothing'>;

/** @internal A series with what is anomalous in it. */
export interface Trial {
  /** [rows, features], scaled. */
  readonly rows: Float32Array;
  /** [rows]. */
  readonly labels: Uint8Array;
  /** The first row that counts; those before bring the state. */
  readonly from: number;
}

/** @internal What `hold` and `smoothing` may become when nothing is said of them; the plainest first. */
export function scoringCandidates(
  model: AnomalyDetector,
  window: number,
  { hold, smoothing }: { hold?: number | undefined; smoothing?: number | undefined },
): Scoring[] {
  const holds = model.method === 'forecast' ? [0, window, 4 * window] : [0];
  const smoothings = [0, 4, 8, 16, 32];
  return (hold === undefined ? holds : [hold]).flatMap((rows) =>
    (smoothing === undefined ? smoothings : [smoothing]).map((mean) => ({ hold: rows, smoothing: mean })),
  );
}

/** @internal The validation rows with artificial anomalies, which need no labels. */
export function artificialTrials(
  parts: readonly { rows: Float32Array; from: number }[],
  features: number,
  window: number,
  seed: number,
): Trial[] {
  const random = new RandomStream(seed, 0xa40);
  const rounds = Array.from({ length: artificialRounds }, () => parts).flat();
  return rounds.map(({ rows, from }) => {
    const changed = injectAnomalies(rows.subarray(from * features), features, window, random);
    const out = rows.slice();
    out.set(changed.rows, from * features);
    const labels = new Uint8Array(rows.length / features);
    labels.set(changed.labels, from);
    return { rows: out, labels, from };
  });
}

/**
 * @internal The candidate with the highest average precision over all trials (M. Goswami et al., "Unsupervised model selection for time-series
 * anomaly detection", 2023, for artificial ones); the first if there is nothing to find.
 */
export async function chooseScoring(
  model: AnomalyDetector,
  trials: readonly Trial[],
  candidates: readonly Scoring[],
  settings: Pick<DetectionPreprocessing, 'window' | 'errorScale' | 'warmUp' | 'gate' | 'adaptation'>,
): Promise<Scoring> {
  const labels = trials.flatMap(({ labels: of, from }) => Array.from(of.subarray(from)));
  let best = candidates[0] as Scoring;
  if (candidates.length === 1 || !labels.includes(1)) return best;
  let highest = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    const scores: number[] = [];
    for (const { rows, from } of trials) {
      const found = await readAll(model, rows, settings, new RowJudge({ ...settings, ...candidate }));
      for (const score of found.subarray(from)) scores.push(score);
    }
    const precision = averagePrecision(scores, labels);
    if (precision > highest) [highest, best] = [precision, candidate];
  }
  return best;
}
