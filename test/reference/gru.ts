import { Array64, item, range } from './array64.js';
import { type CellStep, type CellWeights, cellBackward, cellForward } from './gru_cell.js';
import { dropoutFactors } from './philox.js';

/** A stack of GRU layers over a padded batch of sequences, time-major. */
export interface GruProblem {
  x: Array64; // [T, B, I]
  initialHidden: Array64 | null; // [L * D, B, H], zeros when null
  weights: CellWeights[]; // layer by layer, direction by direction
  directions: 1 | 2;
  resetBefore: boolean;
  lengths: readonly number[] | null; // [B], all T when null
  dropout: { probability: number; seed: number | bigint; offset: number } | null; // between layers
}

export interface GruResult {
  output: Array64; // [T, B, D * H]; 0 past a row's length
  hidden: Array64; // [L * D, B, H]: after each row's last valid step
  steps: Map<string, CellStep>; // by layer and direction, time, row
}

export interface GruGradients {
  x: Array64;
  initialHidden: Array64;
  weights: CellWeights[];
}

function sizes(problem: GruProblem) {
  const { x, weights, directions } = problem;
  const [time, batch] = [x.size(0), x.size(1)];
  const hidden = item(weights, 0).weightHh.size(1);
  return { time, batch, hidden, layers: weights.length / directions, features: directions * hidden };
}

const lengthOf = (problem: GruProblem, row: number): number =>
  problem.lengths === null ? problem.x.size(0) : item(problem.lengths, row);

/** The times of one row's valid steps in the order in which a direction visits them. */
function visitedTimes(problem: GruProblem, direction: number, row: number): number[] {
  const times = range(lengthOf(problem, row));
  return direction === 0 ? times : times.reverse();
}

/** What dropout multiplies the output of a layer by, [T, B, D * H]; null where there is none: after the last layer. */
function layerDropout(problem: GruProblem, layer: number): Array64 | null {
  const { time, batch, features, layers } = sizes(problem);
  if (problem.dropout === null || layer === layers - 1) return null;
  const { probability, seed, offset } = problem.dropout;
  const count = time * batch * features;
  const stream = { seed, offset: offset + layer * Math.ceil(count / 4) };
  return new Array64([time, batch, features], dropoutFactors(stream, probability, count));
}

const multiply = (a: Array64, b: Array64 | null): Array64 =>
  b === null ? a : a.map((value, i) => value * item(b.data, i));

export function gruForward(problem: GruProblem): GruResult {
  const { weights, directions, resetBefore } = problem;
  const { time, batch, hidden, layers, features } = sizes(problem);
  const finalHidden = new Array64([layers * directions, batch, hidden]);
  const steps = new Map<string, CellStep>();
  let input = problem.x;
  let output = input;
  for (let layer = 0; layer < layers; ++layer) {
    output = new Array64([time, batch, features]);
    for (let direction = 0; direction < directions; ++direction) {
      const cell = layer * directions + direction;
      for (let row = 0; row < batch; ++row) {
        let h = range(hidden).map((i) => problem.initialHidden?.at(cell, row, i) ?? 0);
        for (const t of visitedTimes(problem, direction, row)) {
          const x = range(input.size(2)).map((i) => input.at(t, row, i));
          const [next, step] = cellForward(item(weights, cell), resetBefore, x, h);
          steps.set(`${cell},${t},${row}`, step);
          h = next;
          for (const [i, value] of h.entries()) output.set(value, t, row, direction * hidden + i);
        }
        for (const [i, value] of h.entries()) finalHidden.set(value, cell, row, i);
      }
    }
    input = multiply(output, layerDropout(problem, layer));
  }
  return { output, hidden: finalHidden, steps };
}

/** Backpropagation through time, from the gradients of the output and of the final state (null: zeros). */
export function gruBackward(
  problem: GruProblem,
  result: GruResult,
  outputGrad: Array64 | null,
  hiddenGrad: Array64 | null,
): GruGradients {
  const { weights, directions, resetBefore } = problem;
  const { time, batch, hidden, layers, features } = sizes(problem);
  const initialHidden = new Array64([layers * directions, batch, hidden]);
  const grads = weights.map((cell) => ({
    weightIh: Array64.zerosLike(cell.weightIh),
    weightHh: Array64.zerosLike(cell.weightHh),
    biasIh: cell.biasIh && Array64.zerosLike(cell.biasIh),
    biasHh: cell.biasHh && Array64.zerosLike(cell.biasHh),
  }));
  let layerGrad = outputGrad ?? new Array64([time, batch, features]);
  for (let layer = layers - 1; layer >= 0; --layer) {
    layerGrad = multiply(layerGrad, layerDropout(problem, layer));
    const inputSize = item(weights, layer * directions).weightIh.size(1);
    const inputGrad = new Array64([time, batch, inputSize]);
    for (let direction = 0; direction < directions; ++direction) {
      const cell = layer * directions + direction;
      for (let row = 0; row < batch; ++row) {
        let hGrad = range(hidden).map((i) => hiddenGrad?.at(cell, row, i) ?? 0);
        for (const t of visitedTimes(problem, direction, row).reverse()) {
          const nextGrad = hGrad.map((grad, i) => grad + layerGrad.at(t, row, direction * hidden + i));
          const step = result.steps.get(`${cell},${t},${row}`) as CellStep;
          const back = cellBackward(item(weights, cell), item(grads, cell), resetBefore, step, nextGrad);
          for (const [i, grad] of back.xGrad.entries()) inputGrad.add(grad, t, row, i);
          hGrad = back.hGrad;
        }
        for (const [i, grad] of hGrad.entries()) initialHidden.set(grad, cell, row, i);
      }
    }
    layerGrad = inputGrad;
  }
  return { x: layerGrad, initialHidden, weights: grads };
}
