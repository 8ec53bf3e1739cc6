import { checkInteger, checkNumber, checkPositiveInteger, wrongRange } from '../arguments.js';

/**
 * The share of examples whose highest score is that of their label: scores [examples, classes] (logits or
 * probabilities), labels [examples]. Labels equal to `ignoreIndex` do not count; NaN when none counts.
 */
export function accuracy(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  ignoreIndex = -100,
): number {
  let counted = 0;
  let right = 0;
  forEachLabelled(scores, labels, classes, ignoreIndex, (start, label) => {
    counted += 1;
    if (highest(scores, start, classes) === label) right += 1;
  });
  return right / counted;
}

/**
 * How often a label was taken for each class: [classes, classes], row-major, a row for each label and a column for each prediction (the
 * first of the highest scores).
 *
 * @param scores [examples, classes], logits or probabilities
 * @param labels [examples]; those equal to `ignoreIndex` do not count
 * @throws RangeError
 */
export function confusionMatrix(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  ignoreIndex = -100,
): Float64Array {
  const matrix = new Float64Array(checkPositiveInteger(classes, 'classes') ** 2);
  forEachLabelled(scores, labels, classes, ignoreIndex, (start, label) => {
    const cell = label * classes + highest(scores, start, classes);
    matrix[cell] = (matrix[cell] as number) + 1;
  });
  return matrix;
}

/** What a confusion matrix says; where a ratio has nothing to divide by, it is 0. */
export interface ClassificationScores {
  readonly accuracy: number;
  /** Of what was taken for the class, the share that was of it: [classes]. */
  readonly precision: readonly number[];
  /** Of what was of the class, the share that was taken for it: [classes]. */
  readonly recall: readonly number[];
  /** 2 · precision · recall / (precision + recall): [classes]. */
  readonly f1: readonly number[];
  /** The mean of `f1`: every class counts the same, however rare. */
  readonly macroF1: number;
  /** Examples of each class: [classes]. */
  readonly support: readonly number[];
}

/** @param matrix of `confusionMatrix` @throws RangeError when it is not square, or counts nothing */
export function classificationScores(matrix: ArrayLike<number>): ClassificationScores {
  const classes = Math.sqrt(matrix.length);
  if (!Number.isInteger(classes) || classes === 0) throw wrongRange('matrix', 'a square matrix', matrix);
  const all = Array.from({ length: classes }, (_, i) => i);
  const total = (count: (i: number) => number) => all.reduce((sum, i) => sum + count(i), 0);
  const at = (label: number, predicted: number) =>
    checkNumber(matrix[label * classes + predicted], 'matrix', { min: 0 });
  const support = all.map((label) => total((predicted) => at(label, predicted)));
  const examples = total((label) => support[label] as number);
  if (examples === 0) throw wrongRange('matrix', 'at least one counted example', matrix);
  const precision = all.map((one) =>
    ratio(
      at(one, one),
      total((label) => at(label, one)),
    ),
  );
  const recall = all.map((one) => ratio(at(one, one), support[one] as number));
  const f1 = all.map((one) => {
    const [p, r] = [precision[one] as number, recall[one] as number];
    return ratio(2 * p * r, p + r);
  });
  return {
    accuracy: total((one) => at(one, one)) / examples,
    precision,
    recall,
    f1,
    macroF1: total((one) => f1[one] as number) / classes,
    support,
  };
}

/**
 * Mean negative log-likelihood of the labels, in nats: -mean log p[label]. A probability of 0 for a label gives Infinity.
 *
 * @param probabilities [examples, classes]
 * @param labels [examples]; those equal to `ignoreIndex` do not count; NaN when none counts
 * @throws RangeError
 */
export function logLoss(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  ignoreIndex = -100,
): number {
  let counted = 0;
  let sum = 0;
  forEachLabelled(probabilities, labels, classes, ignoreIndex, (start, label) => {
    counted += 1;
    sum -= Math.log(checkNumber(probabilities[start + label], `probabilities[${start + label}]`, { min: 0, max: 1 }));
  });
  return sum / counted;
}

/** @internal Calls `visit` with each counted label and where the scores of its example start. */
export function forEachLabelled(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  ignoreIndex: number,
  visit: (start: number, label: number) => void,
): void {
  checkPositiveInteger(classes, 'classes');
  if (scores.length !== labels.length * classes) {
    throw wrongRange('scores', `${classes} for each of ${labels.length} labels`, scores);
  }
  for (let example = 0; example < labels.length; example++) {
    if (labels[example] === ignoreIndex) continue;
    visit(example * classes, checkInteger(labels[example], `labels[${example}]`, { min: 0, below: classes }));
  }
}

/** @internal The first of the highest of `count` scores from `start` on, counted from `start`. */
export function highest(scores: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) {
    if ((scores[start + i] as number) > (scores[start + best] as number)) best = i;
  }
  return best;
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
