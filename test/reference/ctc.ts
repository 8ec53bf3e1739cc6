import { Array64, item, range } from './array64.js';
import { softmaxForward } from './layers.js';
import type { Reduction } from './losses.js';

export interface CtcProblem {
  logits: Array64; // [time, batch, classes]
  targets: readonly (readonly number[])[]; // [batch][labels of the row]
  inputLengths: readonly number[]; // [batch]
  blank: number;
  reduction: Reduction;
  zeroInfinity: boolean;
}

// The row's labels with a blank before, between and after them.
const statesOf = (labels: readonly number[], blank: number) => [blank, ...labels.flatMap((label) => [label, blank])];

/** Probabilities of one row, as plain float64 numbers: softmax of its steps, [steps][classes]. */
function probabilities({ logits, inputLengths }: CtcProblem, b: number): number[][] {
  const classes = logits.size(2);
  return range(item(inputLengths, b)).map((t) => {
    const row = new Array64(
      [1, classes],
      range(classes).map((c) => logits.at(t, b, c)),
    );
    return [...softmaxForward(row).data];
  });
}

// alpha[t][s], of paths that are at state s in step t; with `y` and `z` reversed it is beta.
function pathsUntil(y: readonly (readonly number[])[], z: readonly number[]): number[][] {
  const alpha: number[][] = [];
  for (const [t, row] of y.entries()) {
    const before = alpha[t - 1];
    alpha.push(
      z.map((symbol, s) => {
        let sum = before ? item(before, s) : Number(s < 2);
        if (before && s > 0) sum += item(before, s - 1);
        if (before && s > 1 && symbol !== z[s - 2] && s % 2 === 1) sum += item(before, s - 2);
        return sum * item(row, symbol);
      }),
    );
  }
  return alpha;
}

/** The probability of the target of one row: a sum over paths in plain numbers, so only for short inputs. */
export function ctcProbability(problem: CtcProblem, b: number): number {
  const z = statesOf(problem.targets[b] as number[], problem.blank);
  const last = pathsUntil(probabilities(problem, b), z).at(-1);
  return last ? item(last, z.length - 1) + (z.length > 1 ? item(last, z.length - 2) : 0) : Number(z.length === 1);
}

/** The same by its definition: every sequence of symbols that becomes the target when repeats are merged and blanks left out. */
export function ctcProbabilityByEnumeration(problem: CtcProblem, b: number): number {
  const y = probabilities(problem, b);
  const classes = problem.logits.size(2);
  const wanted = (problem.targets[b] as number[]).join();
  let total = 0;
  for (let number = 0; number < classes ** y.length; number++) {
    const path = y.map((_, t) => Math.floor(number / classes ** t) % classes);
    const collapsed = path.filter((symbol, t) => symbol !== path[t - 1] && symbol !== problem.blank);
    if (collapsed.join() === wanted) total += path.reduce((p, symbol, t) => p * item(y[t] as number[], symbol), 1);
  }
  return total;
}

const factorOf = ({ reduction, targets }: CtcProblem, b: number) =>
  reduction === 'mean' ? 1 / (Math.max(1, (targets[b] as number[]).length) * targets.length) : 1;

export function ctcForward(problem: CtcProblem): Array64 {
  const rows = problem.targets.map((_, b) => -Math.log(ctcProbability(problem, b)));
  const finite = rows.map((loss) => (problem.zeroInfinity && loss === Number.POSITIVE_INFINITY ? 0 : loss));
  if (problem.reduction === 'none') return new Array64([rows.length], finite);
  return new Array64([1], [finite.reduce((sum, loss, b) => sum + factorOf(problem, b) * loss, 0)]);
}

/** y - (the share of the paths that are at each class), for each step of each row. lossGrad [1], or [batch] without reduction. */
export function ctcBackward(problem: CtcProblem, lossGrad: Array64): Array64 {
  const { targets, blank, reduction, zeroInfinity, logits } = problem;
  const grad = Array64.zerosLike(logits);
  for (const b of range(targets.length)) {
    const y = probabilities(problem, b);
    const z = statesOf(targets[b] as number[], blank);
    const total = ctcProbability(problem, b);
    const scale = factorOf(problem, b) * lossGrad.at(reduction === 'none' ? b : 0);
    const alpha = pathsUntil(y, z);
    const beta = pathsUntil([...y].reverse(), [...z].reverse()).reverse();
    for (const [t, row] of y.entries()) {
      for (const [c, probability] of row.entries()) {
        const share = z.reduce((sum, symbol, s) => {
          if (symbol !== c) return sum;
          return sum + (item(alpha[t] as number[], s) * item(beta[t] as number[], z.length - 1 - s)) / probability;
        }, 0);
        grad.set(total > 0 ? scale * (probability - share / total) : zeroInfinity ? 0 : Number.NaN, t, b, c);
      }
    }
  }
  return grad;
}
