import { wrongRange } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { broadcast, stridesIn } from '../../ops/broadcast.js';
import { elementCount } from '../../tensor/tensor.js';

export type HostType = 'float' | 'int' | 'bool';

/**
 * Numbers of a graph that are on the host: constants, and the arithmetic with shapes; row-major.
 */
export interface HostArray {
  readonly type: HostType;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

// What is calculated on the host are shapes, lengths and masks; a graph that wants more than this is not a model's.
const mostElements = 2 ** 20;

export function hostArray(type: HostType, shape: readonly number[], data: ArrayLike<number>): HostArray {
  return { type, shape, data };
}

/** A list of integers. */
export function intList(values: ArrayLike<number>): HostArray {
  return hostArray('int', [values.length], values);
}

// A float64 holds every size and index exactly.
function numbers(type: HostType, count: number): Float32Array | Float64Array {
  return type === 'float' ? new Float32Array(count) : new Float64Array(count);
}

function make(
  type: HostType,
  shape: readonly number[],
  at: (position: number) => number,
  allowed = mostElements,
): HostArray {
  const count = checkedCount(shape, allowed);
  const data = numbers(type, count);
  for (let i = 0; i < count; i++) data[i] = at(i);
  return hostArray(type, shape, data);
}

/** @throws CudnnGruError `ERR_UNSUPPORTED` for more elements than the arithmetic with shapes can need, or than there were before */
function checkedCount(shape: readonly number[], allowed: number): number {
  const count = elementCount(shape);
  if (!(count <= Math.max(mostElements, allowed)) || shape.some((dimension) => dimension < 0)) {
    throw new CudnnGruError('ERR_UNSUPPORTED', `an array of shape [${shape.join(', ')}] among the graph's constants`);
  }
  return count;
}

/** An array of one number. */
export function filled(type: HostType, shape: readonly number[], value: number): HostArray {
  return make(type, shape, () => value);
}

/** start, start + step, … before `limit`. */
export function range(type: HostType, start: number, limit: number, step: number): HostArray {
  const count = step === 0 ? Number.NaN : Math.max(0, Math.ceil((limit - start) / step));
  return make(type, [count], (i) => start + i * step);
}

export function reshapeHost(x: HostArray, shape: readonly number[]): HostArray {
  return hostArray(x.type, shape, x.data);
}

/** Two arrays laid over each other as in NumPy, number by number. */
export function combine(
  type: HostType,
  a: HostArray,
  b: HostArray,
  operation: (a: number, b: number) => number,
): HostArray {
  const { shape } = broadcast('graph', a.shape, b.shape);
  const [left, right] = [expandHost(a, shape), expandHost(b, shape)];
  return make(type, shape, (i) => operation(left.data[i] as number, right.data[i] as number));
}

/** Each number by itself. */
export function mapHost(type: HostType, x: HostArray, operation: (value: number) => number): HostArray {
  return make(type, x.shape, (i) => operation(x.data[i] as number));
}

/** x repeated to a shape that it broadcasts to. */
export function expandHost(x: HostArray, shape: readonly number[]): HostArray {
  if (x.shape.length === shape.length && x.shape.every((dimension, axis) => dimension === shape[axis])) return x;
  return pick(x, shape, stridesIn(x.shape, shape));
}

export function transposeHost(x: HostArray, permutation: readonly number[]): HostArray {
  const strides = contiguousStrides(x.shape);
  return pick(
    x,
    permutation.map((axis) => x.shape[axis] as number),
    permutation.map((axis) => strides[axis] as number),
  );
}

/** The positions `indices` of one axis. */
export function takeHost(x: HostArray, axis: number, indices: ArrayLike<number>): HostArray {
  const inner = elementCount(x.shape.slice(axis + 1));
  const length = x.shape[axis] as number;
  const shape = [...x.shape];
  shape[axis] = indices.length;
  const at = (i: number) => {
    const row = Math.floor(i / inner);
    const outer = Math.floor(row / indices.length);
    return x.data[(outer * length + (indices[row % indices.length] as number)) * inner + (i % inner)] as number;
  };
  return make(x.type, shape, at, x.data.length);
}

export function concatHost(parts: readonly HostArray[], axis: number): HostArray {
  const [first] = parts as [HostArray];
  const shape = [...first.shape];
  for (const [index, part] of parts.entries()) {
    const fits = part.shape.length === shape.length && part.shape.every((d, at) => at === axis || d === shape[at]);
    if (!fits)
      throw wrongRange(`Concat input ${index}`, `shape [${first.shape}] but for axis ${axis}`, [...part.shape]);
  }
  shape[axis] = parts.reduce((sum, part) => sum + (part.shape[axis] as number), 0);
  const count = checkedCount(
    shape,
    parts.reduce((sum, part) => sum + part.data.length, 0),
  );
  const data = numbers(first.type, count);
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  let position = 0;
  for (let row = 0; row < outer; row++) {
    for (const part of parts) {
      const length = (part.shape[axis] as number) * inner;
      for (let i = 0; i < length; i++) data[position++] = part.data[row * length + i] as number;
    }
  }
  return hostArray(first.type, shape, data);
}

function contiguousStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

function pick(x: HostArray, shape: readonly number[], strides: readonly number[]): HostArray {
  const steps = contiguousStrides(shape);
  const at = (i: number) => {
    let position = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      position += (Math.floor(i / (steps[axis] as number)) % (shape[axis] as number)) * (strides[axis] as number);
    }
    return x.data[position] as number;
  };
  return make(x.type, shape, at, x.data.length);
}
