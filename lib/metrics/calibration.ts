import { checkPositiveInteger, wrongRange } from '../arguments.js';
import { forEachLabelled, highest } from './classification.js';

/** How sure a classifier was, and how often it was right: the points of a reliability diagram. */
export interface Reliability {
  /** Mean probability of the predicted class in each bin: [bins]; NaN in an empty one. */
  readonly confidence: readonly number[];
  /** The share of right predictions in each bin: [bins]; NaN in an empty one. */
  readonly accuracy: readonly number[];
  /** Examples in each bin: [bins]. */
  readonly counts: readonly number[];
  /** Expected calibration error: Σ counts · |accuracy - confidence| / examples. */
  readonly expectedCalibrationError: number;
}

/**
 * Sorts examples by the probability of the predicted class into `bins` of equal width from 0 to 1 (C. Guo et al., "On calibration of
 * modern neural networks", 2017).
 *
 * @param probabilities [examples, classes]
 * @param labels [examples]
 * @param bins default 10
 * @throws RangeError
 */
export function reliability(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  bins = 10,
): Reliability {
  checkPositiveInteger(bins, 'bins');
  if (labels.length === 0) throw wrongRange('labels', 'at least one label', labels);
  const counts = new Array<number>(bins).fill(0);
  const sure = new Array<number>(bins).fill(0);
  const right = new Array<number>(bins).fill(0);
  forEachLabelled(probabilities, labels, classes, -1, (start, label) => {
    const predicted = highest(probabilities, start, classes);
    const probability = probabilities[start + predicted] as number;
    // Bins hold their upper end, as in the paper.
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(probability * bins) - 1));
    counts[bin] = (counts[bin] as number) + 1;
    sure[bin] = (sure[bin] as number) + probability;
    if (predicted === label) right[bin] = (right[bin] as number) + 1;
  });
  const mean = (sums: number[]) => sums.map((sum, bin) => sum / (counts[bin] as number));
  const gaps = sure.map((sum, bin) => Math.abs((right[bin] as number) - sum));
  return {
    confidence: mean(sure),
    accuracy: mean(right),
    counts,
    expectedCalibrationError: gaps.reduce((total, gap) => total + gap, 0) / labels.length,
  };
}

// exp(±5): beyond, a temperature says that the logits hold nothing, or that every label was predicted.
const LOG_RANGE = 5;

/**
 * The temperature T > 0 with the smallest log loss of softmax(logits / T): above 1 the classifier was too sure. Fit it on examples that
 * had no part in the training (C. Guo et al., 2017). Between e⁻⁵ and e⁵.
 *
 * @param logits [examples, classes]
 * @param labels [examples]
 * @throws RangeError
 */
export function fitTemperature(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  if (labels.length === 0) throw wrongRange('labels', 'at least one label', labels);
  // The derivative of the loss by 1/T rises with 1/T (the loss is convex in it), so its zero is found by halving.
  let low = -LOG_RANGE;
  let high = LOG_RANGE;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (slope(logits, labels, classes, Math.exp(middle)) < 0) low = middle;
    else high = middle;
  }
  return Math.exp(-(low + high) / 2);
}

// The derivative of the log loss by β = 1/T, summed: Σ (Σ_c p_c z_c - z_label).
function slope(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number, beta: number): number {
  let sum = 0;
  forEachLabelled(logits, labels, classes, -1, (start, label) => {
    const top = logits[start + highest(logits, start, classes)] as number;
    let total = 0;
    let weighted = 0;
    for (let c = 0; c < classes; c++) {
      const weight = Math.exp(beta * ((logits[start + c] as number) - top));
      total += weight;
      weighted += weight * (logits[start + c] as number);
    }
    sum += weighted / total - (logits[start + label] as number);
  });
  return sum;
}
