import { addon } from '../native/load.js';
import type { Tensor } from '../tensor/tensor.js';
import { result } from './result.js';

/** @internal One module's part of the states of a batch of streams. */
export interface StatePlace {
  /** Rows of `states`, each once: those of the batch. */
  rows: Int32Array;
  /** Where in a row the module's state begins. */
  offset: number;
  /** The state is read as so many parts... */
  parts: number;
  /** ...of so many numbers. */
  length: number;
}

/** @internal y[p, b] = states[rows[b], offset + p · length …]. @param states [capacity, stateSize]. @returns [parts, batch, length] */
export function gatherStates(states: Tensor, { rows, offset, parts, length }: StatePlace): Tensor {
  const [capacity, stateSize] = states.shape as [number, number];
  const y = result([parts, rows.length, length], 'float32', states.on);
  const shape = [capacity, stateSize, rows.length, parts, length, offset] as const;
  addon.gatherStates(states.on.index, ...shape, rows, states.handle, y.handle);
  return y;
}

/** @internal The reverse of `gatherStates`, in place. @param x [parts, batch, length] */
export function scatterStates(x: Tensor, states: Tensor, { rows, offset, parts, length }: StatePlace): void {
  const [capacity, stateSize] = states.shape as [number, number];
  const shape = [capacity, stateSize, rows.length, parts, length, offset] as const;
  addon.scatterStates(states.on.index, ...shape, rows, x.handle, states.handle);
  states.storage.version++;
}
