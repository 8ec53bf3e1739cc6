import { CudnnGruError } from '../errors.js';
import type { Module } from '../layers/module.js';
import { checkTensorShape } from '../ops/result.js';
import { gatherStates, type StatePlace, scatterStates } from '../ops/streams.js';
import type { Tensor } from '../tensor/tensor.js';

/** @internal Where each module's state lies in a stream's row, and how long a row is. */
export interface StateLayout {
  readonly offsets: ReadonlyMap<Module, number>;
  readonly size: number;
}

/** @internal */
export function stateLayout(model: Module): StateLayout {
  const offsets = new Map<Module, number>();
  let size = 0;
  const visit = (module: Module) => {
    if (offsets.has(module)) return;
    offsets.set(module, size);
    size += module.stateSize;
    for (const [, child] of module.children()) visit(child);
  };
  visit(model);
  return { offsets, size };
}

/** @internal */
export function backwardsError(module: Module): CudnnGruError {
  const reason = 'it is bidirectional, and the second direction starts at the end of a sequence';
  return new CudnnGruError('ERR_UNSUPPORTED', `${module.constructor.name} cannot stream: ${reason}`);
}

/**
 * The states of the streams whose frames one call of `Module.step` computes. A module reads its own state and writes the next one; other
 * streams' states are not touched.
 */
export class StreamStates {
  readonly #states: Tensor;
  readonly #rows: Int32Array;
  readonly #layout: StateLayout;

  /** @internal @param states [capacity, layout.size] */
  constructor(states: Tensor, rows: Int32Array, layout: StateLayout) {
    this.#states = states;
    this.#rows = rows;
    this.#layout = layout;
  }

  /**
   * @param module whose `stateSize` numbers to read
   * @param parts into how many equal parts they are divided (a GRU's layers). Default: 1.
   * @returns shape [parts, batch, stateSize / parts]; 0 before a stream's first frame
   * @throws CudnnGruError `ERR_INTERNAL` for a module that is not part of the stream's model
   */
  read(module: Module, parts = 1): Tensor {
    return gatherStates(this.#states, this.#placeOf(module, parts));
  }

  /**
   * @param next as `read` gives it
   * @throws RangeError; CudnnGruError `ERR_INTERNAL` for a module that is not part of the stream's model
   */
  write(module: Module, next: Tensor): void {
    const place = this.#placeOf(module, next.shape[0] ?? 1);
    checkTensorShape(next, 'next', [place.parts, this.#rows.length, place.length]);
    scatterStates(next, this.#states, place);
  }

  #placeOf(module: Module, parts: number): StatePlace {
    const offset = this.#layout.offsets.get(module);
    if (offset === undefined || module.stateSize === 0) {
      throw new CudnnGruError('ERR_INTERNAL', `${module.constructor.name} has no state in this stream`);
    }
    return { rows: this.#rows, offset, parts, length: module.stateSize / parts };
  }
}
