import { noGrad, record, recordAll } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import type { Generator } from '../tensor/generator.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { dropout } from './dropout.js';
import type { GruOptions, GruResult } from './gru.js';
import { concat, slice, transpose } from './rearrange.js';
import { resultLike, upload } from './result.js';

/** A call of `gru` with every option decided. */
interface LongCall {
  x: Tensor;
  weights: readonly Tensor[];
  numLayers: number;
  directions: number;
  timeMajor: boolean;
  dropout: number;
  generator: Generator;
  initialHidden: Tensor | null;
  lengths: Int32Array | null;
  /** What each piece's call is given besides. */
  options: Pick<GruOptions, 'bias' | 'algorithm'>;
}

type Gru = (x: Tensor, weights: readonly Tensor[], options: GruOptions) => GruResult;

/**
 * @internal `gru` over more steps than the device takes in one call: in pieces of at most `mostSteps` along the time, each of which begins
 * with the state that the one before ended with. A row that is over before a piece begins has length 0 in it, and so keeps its state.
 * Gradients go back the same way, by the tape.
 *
 * A stack goes through a piece at once. Layer by layer goes one of two directions, because a layer needs the whole sequence below it (the
 * reversed direction is a forward one over the rows turned round), and one with dropout between its layers, because masks are numbered over
 * a layer's whole sequence: so they are the same as in one call.
 */
export function gruInPieces(gru: Gru, call: LongCall, mostSteps: number): GruResult {
  return scope(() => {
    const { weights, numLayers, directions, lengths, initialHidden } = call;
    let x = call.timeMajor ? call.x : transpose(call.x, 0, 1);
    const layersAtOnce = directions === 1 && call.dropout === 0 ? numLayers : 1;
    const perLayer = weights.length / (numLayers * directions);
    const order = directions === 2 ? reversal(x, lengths) : null;
    const states: Tensor[] = [];
    for (let layer = 0; layer < numLayers; layer += layersAtOnce) {
      const sides: Tensor[] = [];
      for (let direction = 0; direction < directions; direction++) {
        const first = layer * directions + direction;
        const end = first + layersAtOnce;
        const turned = direction === 1 ? order : null;
        const { output, hidden } = overPieces(
          turned ? reorder(x, turned) : x,
          lengths,
          initialHidden && slice(initialHidden, 0, first, end),
          mostSteps,
          (piece, options) =>
            gru(piece, weights.slice(first * perLayer, end * perLayer), {
              ...call.options,
              ...options,
              numLayers: layersAtOnce,
              timeMajor: true,
            }),
        );
        sides.push(turned ? reorder(output, turned) : output);
        states.push(hidden);
      }
      x = together(sides, 2);
      if (call.dropout > 0 && layer + 1 < numLayers) x = dropout(x, call.dropout, call.generator);
    }
    return { output: call.timeMajor ? x : transpose(x, 0, 1), hidden: together(states, 0) };
  });
}

function together(parts: readonly Tensor[], axis: number): Tensor {
  return parts.length === 1 ? (parts[0] as Tensor) : concat(parts, axis);
}

/** One direction of time-major x, piece by piece. */
function overPieces(
  x: Tensor,
  lengths: Int32Array | null,
  initialHidden: Tensor | null,
  mostSteps: number,
  run: (piece: Tensor, options: Pick<GruOptions, 'initialHidden' | 'lengths'>) => GruResult,
): GruResult {
  const time = x.shape[0] as number;
  // Of equal lengths, so that what is measured for one holds for the others.
  const steps = Math.ceil(time / Math.ceil(time / mostSteps));
  const outputs: Tensor[] = [];
  let hidden = initialHidden;
  for (const [index, piece] of cut(x, steps).entries()) {
    const taken = piece.shape[0] as number;
    const own = lengths?.map((length) => Math.min(Math.max(length - index * steps, 0), taken));
    const result = run(piece, { initialHidden: hidden, lengths: own ?? null });
    outputs.push(result.output);
    hidden = result.hidden;
  }
  return { output: concat(outputs), hidden: hidden as Tensor };
}

/** x in parts of `steps` along its first axis. As one operation: slices would each give a gradient as large as x. */
function cut(x: Tensor, steps: number): Tensor[] {
  const parts = noGrad(() => {
    const slices: Tensor[] = [];
    const time = x.shape[0] as number;
    for (let start = 0; start < time; start += steps) slices.push(slice(x, 0, start, Math.min(start + steps, time)));
    return slices;
  });
  // Every part has a gradient: each piece's output and state go on into what is put together of all of them.
  recordAll('cut', [x], parts, [], (grads) => [concat(grads as Tensor[])]);
  return parts;
}

/** For each place of a time-major sequence, as rows [time × batch], the place from which `reorder` takes what belongs there. */
function reversal(x: Tensor, lengths: Int32Array | null): Tensor {
  const [time, batch] = x.shape as [number, number];
  const order = new Int32Array(time * batch);
  for (let row = 0; row < batch; row++) {
    const length = lengths?.[row] ?? time;
    for (let step = 0; step < time; step++) {
      order[step * batch + row] = (step < length ? length - 1 - step : step) * batch + row;
    }
  }
  return upload(order, [order.length], x.on);
}

/** x, seen as [rows, features], with its rows in another order: one that undoes itself, and so is its own gradient. */
function reorder(x: Tensor, order: Tensor): Tensor {
  const y = resultLike(x);
  addon.embedding(x.on.index, order.size, order.size, x.size / order.size, order.handle, x.handle, y.handle);
  record('reorder', [x], y, [order], (grad, [saved]) => [reorder(grad, saved)]);
  return y;
}
