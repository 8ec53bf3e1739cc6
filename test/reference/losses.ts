import { Array64, item, range } from './array64.js';
import { logSoftmaxForward, softmaxForward } from './layers.js';

export type Reduction = 'none' | 'sum' | 'mean';

/** Elementwise losses of d = x - target, with their derivatives. */
export const regression = {
  mse: { value: (d: number, _delta: number) => d * d, derivative: (d: number, _delta: number) => 2 * d },
  mae: {
    value: (d: number, _delta: number) => Math.abs(d),
    derivative: (d: number, _delta: number) => Math.sign(d),
  },
  huber: {
    value: (d: number, delta: number) => (Math.abs(d) <= delta ? (d * d) / 2 : delta * (Math.abs(d) - delta / 2)),
    derivative: (d: number, delta: number) => (Math.abs(d) <= delta ? d : delta * Math.sign(d)),
  },
};
export type RegressionName = keyof typeof regression;

/** What one element's loss is multiplied by in the result. */
function reductionFactor(reduction: Reduction, divisor: number): number {
  return reduction === 'mean' ? 1 / divisor : 1;
}

function reduce(losses: Array64, reduction: Reduction, divisor: number): Array64 {
  if (reduction === 'none') return losses;
  const sum = losses.data.reduce((total, loss) => total + loss, 0);
  return new Array64([1], [sum * reductionFactor(reduction, divisor)]);
}

/** The gradient that reaches element i of the unreduced losses. */
function elementGrad(lossGrad: Array64, i: number, reduction: Reduction, divisor: number): number {
  return item(lossGrad.data, reduction === 'none' ? i : 0) * reductionFactor(reduction, divisor);
}

export function regressionForward(
  name: RegressionName,
  x: Array64,
  target: Array64,
  reduction: Reduction,
  delta = 1,
): Array64 {
  const losses = x.map((value, i) => regression[name].value(value - item(target.data, i), delta));
  return reduce(losses, reduction, x.count);
}

/** The gradient of x; that of the target is its negative. */
export function regressionBackward(
  name: RegressionName,
  x: Array64,
  target: Array64,
  reduction: Reduction,
  lossGrad: Array64,
  delta = 1,
): Array64 {
  return x.map((value, i) => {
    const derivative = regression[name].derivative(value - item(target.data, i), delta);
    return derivative * elementGrad(lossGrad, i, reduction, x.count);
  });
}

export interface CrossEntropyOptions {
  reduction: Reduction;
  ignoreIndex?: number;
  labelSmoothing?: number;
  classWeights?: Array64 | null; // [classes]
}

/** The target distribution of one row, times the class weights: what -log p is weighed with. */
function crossEntropyWeights(target: number, classes: number, options: CrossEntropyOptions): number[] {
  const { ignoreIndex = -100, labelSmoothing: s = 0, classWeights } = options;
  if (target === ignoreIndex) return range(classes).map(() => 0);
  return range(classes).map((c) => (classWeights?.at(c) ?? 1) * ((c === target ? 1 - s : 0) + s / classes));
}

function crossEntropyDivisor(targets: readonly number[], options: CrossEntropyOptions): number {
  const { ignoreIndex = -100, classWeights } = options;
  const counted = targets.filter((target) => target !== ignoreIndex);
  return counted.reduce((sum, target) => sum + (classWeights?.at(target) ?? 1), 0);
}

/** -Σ_c weight_c log softmax(logits)_c of each row. logits [rows, classes]. */
export function crossEntropyForward(
  logits: Array64,
  targets: readonly number[],
  options: CrossEntropyOptions,
): Array64 {
  const logp = logSoftmaxForward(logits);
  const losses = targets.map((target, row) => {
    const weights = crossEntropyWeights(target, logits.size(1), options);
    return -weights.reduce((sum, weight, c) => (weight === 0 ? sum : sum + weight * logp.at(row, c)), 0);
  });
  return reduce(new Array64([targets.length], losses), options.reduction, crossEntropyDivisor(targets, options));
}

/** p Σ weight - weight, for each row. */
export function crossEntropyBackward(
  logits: Array64,
  targets: readonly number[],
  options: CrossEntropyOptions,
  lossGrad: Array64,
): Array64 {
  const probabilities = softmaxForward(logits);
  const grad = Array64.zerosLike(logits);
  const divisor = crossEntropyDivisor(targets, options);
  for (const [row, target] of targets.entries()) {
    if (target === (options.ignoreIndex ?? -100)) continue;
    const weights = crossEntropyWeights(target, logits.size(1), options);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const scale = elementGrad(lossGrad, row, options.reduction, divisor);
    for (const [c, weight] of weights.entries()) grad.set(scale * (probabilities.at(row, c) * total - weight), row, c);
  }
  return grad;
}

export interface BinaryCrossEntropyOptions {
  reduction: Reduction;
  weight?: Array64 | null; // [columns]
  positiveWeight?: Array64 | null; // [columns]
}

/** log(1 + exp(x)) without overflow. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** -w (p y log σ(x) + (1 - y) log(1 - σ(x))), with -log σ(x) = softplus(-x) and -log(1 - σ(x)) = softplus(x). */
export function binaryCrossEntropyForward(
  logits: Array64,
  target: Array64,
  options: BinaryCrossEntropyOptions,
): Array64 {
  const losses = logits.map((x, i) => {
    const [y, column] = [item(target.data, i), i % logits.size(1)];
    const positive = (options.positiveWeight?.at(column) ?? 1) * y * softplus(-x);
    return (options.weight?.at(column) ?? 1) * (positive + (1 - y) * softplus(x));
  });
  return reduce(losses, options.reduction, logits.count);
}

export function binaryCrossEntropyBackward(
  logits: Array64,
  target: Array64,
  options: BinaryCrossEntropyOptions,
  lossGrad: Array64,
): Array64 {
  return logits.map((x, i) => {
    const [y, column] = [item(target.data, i), i % logits.size(1)];
    const sigma = 1 / (1 + Math.exp(-x));
    const positive = (options.positiveWeight?.at(column) ?? 1) * y * (sigma - 1);
    const derivative = (options.weight?.at(column) ?? 1) * (positive + (1 - y) * sigma);
    return derivative * elementGrad(lossGrad, i, options.reduction, logits.count);
  });
}

/** x [..., levels], target [...]: max(q d, (q - 1) d) with d = target - x. */
export function pinballForward(x: Array64, target: Array64, levels: readonly number[], reduction: Reduction): Array64 {
  const losses = x.map((value, i) => {
    const [d, q] = differenceAndLevel(value, i, target, levels);
    return Math.max(q * d, (q - 1) * d);
  });
  return reduce(losses, reduction, x.count);
}

/** The gradients of x and of the target. */
export function pinballBackward(
  x: Array64,
  target: Array64,
  levels: readonly number[],
  reduction: Reduction,
  lossGrad: Array64,
): [Array64, Array64] {
  const xGrad = x.map((value, i) => {
    const [d, q] = differenceAndLevel(value, i, target, levels);
    return -(d < 0 ? q - 1 : q) * elementGrad(lossGrad, i, reduction, x.count);
  });
  const targetGrad = target.map((_, i) => {
    const own = xGrad.data.slice(i * levels.length, (i + 1) * levels.length);
    return -own.reduce((sum, grad) => sum + grad, 0);
  });
  return [xGrad, targetGrad];
}

function differenceAndLevel(value: number, i: number, target: Array64, levels: readonly number[]): [number, number] {
  return [item(target.data, Math.floor(i / levels.length)) - value, levels[i % levels.length] as number];
}
