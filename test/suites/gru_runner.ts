import { Generator, noGrad, ops, type Tensor } from '../../lib/index.js';
import { Array64, item } from '../reference/array64.js';
import type { GruProblem } from '../reference/gru.js';
import { transpose } from '../reference/rearrange.js';
import { type Backend, gradientOf, onDevice } from './backend.js';

type Input = 'x' | 'initialHidden' | 'weights';

export interface GruRunOptions {
  timeMajor: boolean;
  outputGrad?: Array64; // [T, B, D * H]
  hiddenGrad?: Array64;
  /** What gradients are computed for; default: everything, if a gradient is given. */
  wanted?: readonly Input[];
}

/** Gradients of one layer and direction; null where none was wanted or the cell has no such parameter. */
export interface CellGrads {
  weightIh: Array64 | null;
  weightHh: Array64 | null;
  biasIh: Array64 | null;
  biasHh: Array64 | null;
}

export interface GruGrads {
  x: Array64 | null;
  initialHidden: Array64 | null;
  weights: CellGrads[];
}

/** Everything time-major on the host, whatever the layout on the device was. */
export interface GruRun {
  output: Array64;
  hidden: Array64;
  grads: GruGrads;
}

/** A problem of the references, run by the library's `ops.gru`. */
export async function runGru(backend: Backend, problem: GruProblem, options: GruRunOptions): Promise<GruRun> {
  const { timeMajor, outputGrad, hiddenGrad } = options;
  const differentiates = outputGrad !== undefined || hiddenGrad !== undefined;
  const wants = (input: Input) => differentiates && (options.wanted?.includes(input) ?? true);
  const laidOut = (array: Array64) => (timeMajor ? array : transpose(array, 0, 1));
  const leaf = (array: Array64, input: Input) => onDevice(backend, array, wants(input));

  const x = leaf(laidOut(problem.x), 'x');
  const initialHidden = problem.initialHidden && leaf(problem.initialHidden, 'initialHidden');
  const cells = problem.weights.map((cell) => ({
    weightIh: leaf(cell.weightIh, 'weights'),
    weightHh: leaf(cell.weightHh, 'weights'),
    biasIh: cell.biasIh && leaf(cell.biasIh, 'weights'),
    biasHh: cell.biasHh && leaf(cell.biasHh, 'weights'),
  }));
  const generator = new Generator(0);
  if (problem.dropout) generator.restore({ seed: Number(problem.dropout.seed), offset: problem.dropout.offset });
  const { output, hidden } = ops.gru(
    x,
    cells.flatMap((cell) => [cell.weightIh, cell.weightHh, cell.biasIh ?? [], cell.biasHh ?? []].flat()),
    {
      numLayers: problem.weights.length / problem.directions,
      bidirectional: problem.directions === 2,
      bias: item(cells, 0).biasIh !== null,
      variant: problem.resetBefore ? 'resetBefore' : 'resetAfter',
      timeMajor,
      dropout: problem.dropout?.probability ?? 0,
      generator,
      initialHidden,
      lengths: problem.lengths,
    },
  );
  // As numbers, before the gradients: a kernel that wrote into its results would be seen.
  const outputValues = new Array64(output.shape, await output.data());
  const hiddenValues = new Array64(hidden.shape, await hidden.data());

  if (outputGrad && hiddenGrad) {
    const toBoth = [
      ops.mul(output, onDevice(backend, laidOut(outputGrad))),
      ops.mul(hidden, onDevice(backend, hiddenGrad)),
    ];
    ops.add(ops.sum(item(toBoth, 0)), ops.sum(item(toBoth, 1))).backward();
  } else if (outputGrad) {
    output.backward(onDevice(backend, laidOut(outputGrad)));
  } else if (hiddenGrad) {
    hidden.backward(onDevice(backend, hiddenGrad));
  }

  const gradient = async (tensor: Tensor | null, input: Input): Promise<Array64 | null> =>
    tensor && wants(input) ? new Array64(tensor.shape, await gradientOf(tensor, input)) : null;
  const xGrad = await gradient(x, 'x');
  const weights: CellGrads[] = [];
  for (const cell of cells) {
    weights.push({
      weightIh: await gradient(cell.weightIh, 'weights'),
      weightHh: await gradient(cell.weightHh, 'weights'),
      biasIh: await gradient(cell.biasIh, 'weights'),
      biasHh: await gradient(cell.biasHh, 'weights'),
    });
  }
  return {
    output: laidOut(outputValues),
    hidden: hiddenValues,
    grads: { x: xGrad && laidOut(xGrad), initialHidden: await gradient(initialHidden, 'initialHidden'), weights },
  };
}

/** Forward without gradients, step by step: what streaming gives. [T, B, D * H] and the final state. */
export async function streamGru(backend: Backend, problem: GruProblem): Promise<{ output: Array64; hidden: Array64 }> {
  const [time, batch, features] = [problem.x.size(0), problem.x.size(1), problem.x.size(2)];
  const weights = problem.weights.flatMap((cell) =>
    [cell.weightIh, cell.weightHh, cell.biasIh ?? [], cell.biasHh ?? []]
      .flat()
      .map((array) => onDevice(backend, array)),
  );
  let hidden = problem.initialHidden && onDevice(backend, problem.initialHidden);
  const steps: Float32Array[] = [];
  for (let t = 0; t < time; ++t) {
    const x = new Array64([1, batch, features], problem.x.data.slice(t * batch * features, (t + 1) * batch * features));
    const result = noGrad(() =>
      ops.gru(onDevice(backend, x), weights, {
        numLayers: problem.weights.length,
        bias: item(problem.weights, 0).biasIh !== null,
        variant: problem.resetBefore ? 'resetBefore' : 'resetAfter',
        timeMajor: true,
        initialHidden: hidden,
      }),
    );
    hidden = result.hidden;
    steps.push((await result.output.data()) as Float32Array);
  }
  if (!hidden) throw new Error('a sequence of no steps');
  const values = steps.flatMap((step) => [...step]);
  return {
    output: new Array64([time, batch, values.length / (time * batch)], values),
    hidden: new Array64(hidden.shape, await hidden.data()),
  };
}
