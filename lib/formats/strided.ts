/** Where the elements of an array lie, one after another in row-major order of its indices. */
export class StridedWalk {
  /** The position of the current element. */
  at = 0;
  readonly #index: number[];

  /** @param strides positions from one index of each axis to the next */
  constructor(
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    this.#index = new Array<number>(shape.length).fill(0);
  }

  step(): void {
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      this.at += this.strides[axis] as number;
      this.#index[axis] = (this.#index[axis] as number) + 1;
      if ((this.#index[axis] as number) < (this.shape[axis] as number)) break;
      this.at -= (this.strides[axis] as number) * (this.shape[axis] as number);
      this.#index[axis] = 0;
    }
  }
}

/**
 * The elements of an array in row-major order, from the run of memory that holds it.
 *
 * @param run from the first element of the array to the last
 * @param strides elements from one index of each axis to the next
 */
export function gatherStrided<T extends Float32Array | Int32Array>(
  run: T,
  shape: readonly number[],
  strides: readonly number[],
): T {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const out = new (run.constructor as new (length: number) => T)(count);
  const walk = new StridedWalk(shape, strides);
  for (let i = 0; i < count; i++) {
    out[i] = run[walk.at] as number;
    walk.step();
  }
  return out;
}
