import { averagePrecision } from '../../metrics/detection.js';
import type { AnomalyDetector, DetectionMethod } from './detector.js';
import type { DetectionPreprocessing } from './preprocessing.js';
import { RowJudge } from './row_judge.js';
import { readAll } from './score_rows.js';

/** @internal */
export type Scoring = Pick<DetectionPreprocessing, 'hold' | 'smoothing'>;

/** @internal What of it the user says. */
export type GivenScoring = { readonly [K in keyof Scoring]?: number | undefined };

/** @internal A series with what is anomalous in it. */
export interface Trial {
  /** [rows, features], scaled. */
  readonly rows: Float32Array;
  /** [rows]. */
  readonly labels: Uint8Array;
  /** The first row that counts; those before bring the state. */
  readonly from: number;
}

/** @internal What is done where no anomaly is labelled. The error of a window that is reconstructed is a mean already. */
export function usualScoring(method: DetectionMethod, window: number, { hold, smoothing }: GivenScoring): Scoring {
  const usual = method === 'forecast' ? { hold: Math.ceil(window / 2), smoothing: 8 } : { hold: 0, smoothing: 0 };
  return { hold: hold ?? usual.hold, smoothing: smoothing ?? usual.smoothing };
}

/**
 * @internal What may be done where some are, the plainest first.
 *
 * @param given what is settled
 */
export function scoringCandidates(method: DetectionMethod, window: number, given: GivenScoring): Scoring[] {
  const holds = method === 'forecast' ? [0, Math.ceil(window / 2), window, 4 * window] : [0];
  const smoothings = given.smoothing === undefined ? [0, 4, 8, 16, 32] : [given.smoothing];
  return (given.hold === undefined ? holds : [given.hold]).flatMap((hold) =>
    smoothings.map((smoothing) => ({ hold, smoothing })),
  );
}

/** @internal The candidate with the highest average precision over all trials. */
export async function chooseScoring(
  model: AnomalyDetector,
  trials: readonly Trial[],
  candidates: readonly Scoring[],
  settings: Pick<DetectionPreprocessing, 'window' | 'errorScale' | 'warmUp' | 'gate' | 'adaptation'>,
): Promise<Scoring> {
  const labels = trials.flatMap(({ labels: of, from }) => Array.from(of.subarray(from)));
  let best = candidates[0] as Scoring;
  if (candidates.length === 1) return best;
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
