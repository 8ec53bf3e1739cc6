import { wrongRange } from '../arguments.js';
import { elementCount } from '../tensor/tensor.js';

/** Two shapes laid over each other, as the native operations take them: neighbouring axes that can be are merged. */
export interface Broadcast {
  /** Shape of the result, one entry for each axis. */
  shape: number[];
  /** Merged axes. */
  dims: Float64Array;
  aStrides: Float64Array;
  bStrides: Float64Array;
}

/**
 * NumPy's rule: shapes are aligned at their last axes; an axis of 1, or a missing one, is repeated.
 * @throws RangeError naming both shapes
 */
export function broadcast(operation: string, a: readonly number[], b: readonly number[]): Broadcast {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const fromA = a[axis - rank + a.length] ?? 1;
    const fromB = b[axis - rank + b.length] ?? 1;
    if (fromA !== fromB && fromA !== 1 && fromB !== 1) {
      throw wrongRange(`${operation}(a, b)`, `shapes that broadcast; a is [${a.join(', ')}], b`, [...b]);
    }
    shape[axis] = fromA === 1 ? fromB : fromA;
  }
  const merged = merge(shape, stridesIn(a, shape), stridesIn(b, shape));
  return { shape, ...merged };
}

/** Strides of `shape` seen as `full`: 0 along the axes in which it is repeated. */
export function stridesIn(shape: readonly number[], full: readonly number[]): number[] {
  const strides = new Array<number>(full.length).fill(0);
  let stride = 1;
  for (let axis = full.length - 1; axis >= 0; axis--) {
    const dimension = shape[axis - full.length + shape.length] ?? 1;
    strides[axis] = dimension === 1 ? 0 : stride;
    stride *= dimension;
  }
  return strides;
}

// Two neighbouring axes are one if both operands step through them as through one. Axes of 1 vanish.
export function merge(shape: readonly number[], a: readonly number[], b: readonly number[]): Omit<Broadcast, 'shape'> {
  const dims: number[] = [];
  const aStrides: number[] = [];
  const bStrides: number[] = [];
  for (const [axis, dimension] of shape.entries()) {
    if (dimension === 1) continue;
    const [aStride, bStride] = [a[axis] as number, b[axis] as number];
    const last = dims.length - 1;
    if (last >= 0 && aStrides[last] === aStride * dimension && bStrides[last] === bStride * dimension) {
      dims[last] = (dims[last] as number) * dimension;
      aStrides[last] = aStride;
      bStrides[last] = bStride;
    } else {
      dims.push(dimension);
      aStrides.push(aStride);
      bStrides.push(bStride);
    }
  }
  return {
    dims: Float64Array.from(dims),
    aStrides: Float64Array.from(aStrides),
    bStrides: Float64Array.from(bStrides),
  };
}

/** For a reduction of `shape` over `reduced`: the axes, and the result's strides, 0 along what is summed. */
export function reduction(
  shape: readonly number[],
  reduced: ReadonlySet<number>,
): { dims: Float64Array; strides: Float64Array; count: number } {
  const kept = shape.map((dimension, axis) => (reduced.has(axis) ? 1 : dimension));
  const strides = stridesIn(kept, shape);
  const contiguous = stridesIn(shape, shape);
  const { dims, aStrides } = merge(shape, strides, contiguous);
  return { dims, strides: aStrides, count: elementCount(kept) };
}
