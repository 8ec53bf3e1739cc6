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
  const index = new Array<number>(shape.length).fill(0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    out[i] = run[at] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      at -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}
