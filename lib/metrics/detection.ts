import { checkInteger, checkNumber, wrongRange } from '../arguments.js';

/** Precision and recall at every threshold that makes a difference, from the highest to the lowest: [thresholds] each. */
export interface PrecisionRecallCurve {
  /** What scores at least this counts as found. */
  readonly thresholds: readonly number[];
  readonly precision: readonly number[];
  readonly recall: readonly number[];
}

/**
 * @param scores [examples]: higher means more likely positive; finite
 * @param labels [examples]: 1 for positive, 0 for negative; at least one positive
 * @throws RangeError
 */
export function precisionRecallCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): PrecisionRecallCurve {
  const { order, positives } = byScore(scores, labels);
  if (positives === 0) throw wrongRange('labels', 'at least one positive label', labels);
  const thresholds: number[] = [];
  const precision: number[] = [];
  const recall: number[] = [];
  let found = 0;
  for (const [rank, example] of order.entries()) {
    found += labels[example] as number;
    const score = scores[example] as number;
    // Equal scores are found together.
    if (rank + 1 < order.length && scores[order[rank + 1] as number] === score) continue;
    thresholds.push(score);
    precision.push(found / (rank + 1));
    recall.push(found / positives);
  }
  return { thresholds, precision, recall };
}

/**
 * Average precision, the area under the precision-recall curve as steps: Σ (recall_n - recall_{n-1}) precision_n. What a score without
 * information reaches is the share of positives.
 *
 * @throws as `precisionRecallCurve`
 */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const { precision, recall } = precisionRecallCurve(scores, labels);
  return precision.reduce((area, value, n) => area + value * ((recall[n] as number) - (recall[n - 1] ?? 0)), 0);
}

/**
 * Area under the receiver operating characteristic: the probability that a positive example scores higher than a negative one, half for
 * equal scores (J. A. Hanley, B. J. McNeil, 1982).
 *
 * @param scores [examples], finite
 * @param labels [examples]: 1 or 0, at least one of each
 * @throws RangeError
 */
export function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const { order, positives } = byScore(scores, labels);
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) throw wrongRange('labels', 'positive and negative labels', labels);
  let wins = 0;
  let found = 0;
  for (let first = 0; first < order.length; ) {
    let next = first;
    let tiedPositives = 0;
    while (next < order.length && scores[order[next] as number] === scores[order[first] as number]) {
      tiedPositives += labels[order[next] as number] as number;
      next += 1;
    }
    wins += (next - first - tiedPositives) * (found + tiedPositives / 2);
    found += tiedPositives;
    first = next;
  }
  return wins / (positives * negatives);
}

/** How well alarms meet what they are to find; a ratio with nothing to divide by is 0. */
export interface DetectionScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * Scores each step by itself.
 *
 * @param alarms [steps] and labels [steps]: 1 or 0
 * @throws RangeError
 */
export function detectionScores(alarms: ArrayLike<number>, labels: ArrayLike<number>): DetectionScores {
  checkBinary(alarms, 'alarms', labels.length);
  checkBinary(labels, 'labels', labels.length);
  let both = 0;
  let raised = 0;
  let positives = 0;
  for (let i = 0; i < labels.length; i++) {
    both += (alarms[i] as number) * (labels[i] as number);
    raised += alarms[i] as number;
    positives += labels[i] as number;
  }
  return scoresOf(both, raised, both, positives);
}

export interface EventScores extends DetectionScores {
  /** Runs of positive labels, and how many of them were found. */
  readonly events: number;
  readonly found: number;
  /** Runs of alarms, and how many of them met no event. */
  readonly alarms: number;
  readonly falseAlarms: number;
}

/**
 * Scores events, the runs of consecutive positive labels: one is found if any of its steps has an alarm (recall), and a run of
 * consecutive alarms is false if it meets no event (precision). Where in an event the alarm comes and how long it lasts does not count;
 * it is the existence part of N. Tatbul et al., "Precision and recall for time series", 2018.
 *
 * @param alarms [steps] and labels [steps]: 1 or 0, of one series in order
 * @throws RangeError
 */
export function eventScores(alarms: ArrayLike<number>, labels: ArrayLike<number>): EventScores {
  checkBinary(alarms, 'alarms', labels.length);
  checkBinary(labels, 'labels', labels.length);
  const events = runsMeeting(labels, alarms);
  const raised = runsMeeting(alarms, labels);
  return {
    ...scoresOf(raised.met, raised.runs, events.met, events.runs),
    events: events.runs,
    found: events.met,
    alarms: raised.runs,
    falseAlarms: raised.runs - raised.met,
  };
}

// Runs of 1 in `steps`, and those during which `others` has a 1 somewhere.
function runsMeeting(steps: ArrayLike<number>, others: ArrayLike<number>): { runs: number; met: number } {
  let runs = 0;
  let met = 0;
  let counted = false;
  for (let i = 0; i < steps.length; i++) {
    if (steps[i] !== 1) continue;
    if (i === 0 || steps[i - 1] !== 1) {
      runs += 1;
      counted = false;
    }
    if (!counted && others[i] === 1) {
      met += 1;
      counted = true;
    }
  }
  return { runs, met };
}

function scoresOf(right: number, raised: number, found: number, positives: number): DetectionScores {
  const precision = raised > 0 ? right / raised : 0;
  const recall = positives > 0 ? found / positives : 0;
  return { precision, recall, f1: precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0 };
}

// The examples from the highest score down.
function byScore(scores: ArrayLike<number>, labels: ArrayLike<number>): { order: Uint32Array; positives: number } {
  checkBinary(labels, 'labels', scores.length);
  for (let i = 0; i < scores.length; i++) checkNumber(scores[i], `scores[${i}]`);
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number),
  );
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i] as number;
  return { order, positives };
}

function checkBinary(values: ArrayLike<number>, name: string, length: number): void {
  if (values.length !== length) throw wrongRange(name, `${length} values`, values);
  for (let i = 0; i < values.length; i++) checkInteger(values[i], `${name}[${i}]`, { min: 0, max: 1 });
}
