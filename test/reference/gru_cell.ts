import { type Array64, item, range } from './array64.js';

/** The weights of one layer and direction: rows r, z, n of hiddenSize each, as PyTorch stores them. */
export interface CellWeights {
  weightIh: Array64; // [3H, I]
  weightHh: Array64; // [3H, H]
  biasIh: Array64 | null; // [3H]
  biasHh: Array64 | null; // [3H]
}

/** What one step of one row leaves for its gradient. All [H]. */
export interface CellStep {
  x: number[]; // [I]
  h: number[];
  r: number[];
  z: number[];
  n: number[]; // the candidate h~
  q: number[]; // U_n h + b_hn, which the reset gate multiplies in the reset-after cell
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Row `row` of `matrix` times `vector`, plus an element of a bias. */
function affine(matrix: Array64, bias: Array64 | null, row: number, vector: readonly number[]): number {
  let sum = bias === null ? 0 : bias.at(row);
  for (const [i, value] of vector.entries()) sum += matrix.at(row, i) * value;
  return sum;
}

/** One step of one row: the new hidden state, and what the gradient needs. */
export function cellForward(
  weights: CellWeights,
  resetBefore: boolean,
  x: number[],
  h: number[],
): [number[], CellStep] {
  const { weightIh, weightHh, biasIh, biasHh } = weights;
  const hidden = h.length;
  const units = range(hidden);
  const r = units.map((i) => sigmoid(affine(weightIh, biasIh, i, x) + affine(weightHh, biasHh, i, h)));
  const z = units.map((i) =>
    sigmoid(affine(weightIh, biasIh, hidden + i, x) + affine(weightHh, biasHh, hidden + i, h)),
  );
  const q = units.map((i) => affine(weightHh, biasHh, 2 * hidden + i, h));
  const resetHidden = units.map((i) => item(r, i) * item(h, i));
  const n = units.map((i) => {
    const recurrent = resetBefore ? affine(weightHh, biasHh, 2 * hidden + i, resetHidden) : item(r, i) * item(q, i);
    return Math.tanh(affine(weightIh, biasIh, 2 * hidden + i, x) + recurrent);
  });
  const next = units.map((i) => item(z, i) * item(h, i) + (1 - item(z, i)) * item(n, i));
  return [next, { x, h, r, z, n, q }];
}

/** The gradients of one step's x and h from that of its new state; those of the weights are added to `grads`. */
export function cellBackward(
  weights: CellWeights,
  grads: CellWeights,
  resetBefore: boolean,
  step: CellStep,
  nextGrad: readonly number[],
): { xGrad: number[]; hGrad: number[] } {
  const { weightIh, weightHh } = weights;
  const { x, h, r, z, n, q } = step;
  const hidden = h.length;
  const xGrad = x.map(() => 0);
  const hGrad = range(hidden).map((i) => item(nextGrad, i) * item(z, i));

  // h' = z h + (1 - z) n, through the activations: the gradients of the gates' arguments.
  const zArgument = range(hidden).map(
    (i) => item(nextGrad, i) * (item(h, i) - item(n, i)) * item(z, i) * (1 - item(z, i)),
  );
  const nArgument = range(hidden).map((i) => item(nextGrad, i) * (1 - item(z, i)) * (1 - item(n, i) ** 2));

  // The recurrent part of the candidate: r q, or U_n (r h) + b.
  const recurrentArgument = resetBefore ? nArgument : range(hidden).map((i) => item(nArgument, i) * item(r, i));
  const recurrentInput = resetBefore ? range(hidden).map((i) => item(r, i) * item(h, i)) : h;
  const recurrentInputGrad = range(hidden).map((j) =>
    range(hidden).reduce((sum, i) => sum + item(recurrentArgument, i) * weightHh.at(2 * hidden + i, j), 0),
  );
  const rGrad = range(hidden).map((i) =>
    resetBefore ? item(recurrentInputGrad, i) * item(h, i) : item(nArgument, i) * item(q, i),
  );
  const rArgument = range(hidden).map((i) => item(rGrad, i) * item(r, i) * (1 - item(r, i)));

  for (const [gate, argument] of [rArgument, zArgument, nArgument].entries()) {
    for (const [i, grad] of argument.entries()) {
      const row = gate * hidden + i;
      grads.biasIh?.add(grad, row);
      for (const [k, value] of x.entries()) {
        grads.weightIh.add(grad * value, row, k);
        xGrad[k] = item(xGrad, k) + grad * weightIh.at(row, k);
      }
    }
  }
  for (const [gate, argument] of [rArgument, zArgument, recurrentArgument].entries()) {
    const input = gate === 2 ? recurrentInput : h;
    for (const [i, grad] of argument.entries()) {
      const row = gate * hidden + i;
      grads.biasHh?.add(grad, row);
      for (const [k, value] of input.entries()) {
        grads.weightHh.add(grad * value, row, k);
        if (gate < 2) hGrad[k] = item(hGrad, k) + grad * weightHh.at(row, k);
      }
    }
  }
  for (const [k, grad] of recurrentInputGrad.entries()) {
    hGrad[k] = item(hGrad, k) + (resetBefore ? grad * item(r, k) : grad);
  }
  return { xGrad, hGrad };
}
