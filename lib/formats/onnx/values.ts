import { describe } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import * as ops from '../../ops/index.js';
import { fill, upload } from '../../ops/result.js';
import type { Device } from '../../tensor/device.js';
import { elementCount, Tensor } from '../../tensor/tensor.js';
import { concatHost, expandHost, type HostArray, reshapeHost, takeHost, transposeHost } from './host_array.js';

/** What flows along a graph's edges: a tensor, or numbers on the host, from which shapes are calculated. */
export type Value = Tensor | HostArray;

export function isTensor(value: Value): value is Tensor {
  return value instanceof Tensor;
}

export function shapeOf(value: Value): readonly number[] {
  return value.shape;
}

/** The value on a device; integers as int32. */
export function toTensor(value: Value, device: Device): Tensor {
  if (isTensor(value)) return value;
  if (value.type === 'float') return upload(Float32Array.from(value.data), value.shape, device);
  return upload(Int32Array.from(value.data, checkInt32), value.shape, device);
}

function checkInt32(value: number): number {
  if (value === (value | 0)) return value;
  throw new CudnnGruError('ERR_UNSUPPORTED', `the integer ${value} does not fit into int32`);
}

/** The value's numbers, which must be on the host. @param what for the message */
export function toHost(value: Value, what: string): HostArray {
  if (!isTensor(value)) return value;
  throw new CudnnGruError(
    'ERR_UNSUPPORTED',
    `${what} depends on numbers of a tensor; if they come from an input of integers (lengths), give it as an array instead`,
  );
}

/** An axis counted from the front. @throws CudnnGruError `ERR_FORMAT` */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && positive >= 0 && positive < rank) return positive;
  throw new CudnnGruError('ERR_FORMAT', `axis ${describe(axis)} of a value with ${rank} axes`);
}

/** Numbers as they are in another shape. @throws CudnnGruError `ERR_FORMAT` */
export function reshape(x: Value, shape: readonly number[]): Value {
  if (elementCount(shape) !== elementCount(x.shape) || !shape.every((d) => Number.isInteger(d) && d >= 0)) {
    throw new CudnnGruError('ERR_FORMAT', `shape [${x.shape.join(', ')}] cannot become [${shape.join(', ')}]`);
  }
  return isTensor(x) ? ops.reshape(x, shape) : reshapeHost(x, shape);
}

/** Axes in another order: axis i of the result is axis permutation[i] of x. */
export function permute(x: Value, permutation: readonly number[]): Value {
  if (!isTensor(x)) return transposeHost(x, permutation);
  const order = permutation.map((_, axis) => axis);
  let result = x;
  for (const [axis, wanted] of permutation.entries()) {
    const from = order.indexOf(wanted);
    if (from === axis) continue;
    result = ops.transpose(result, axis, from);
    [order[axis], order[from]] = [order[from] as number, order[axis] as number];
  }
  return result === x ? ops.reshape(x, x.shape) : result;
}

/** The permutation that moves one axis to the front, and the one that moves it back. */
function toFront(axis: number, rank: number): { forth: number[]; back: number[] } {
  const others = Array.from({ length: rank }, (_, at) => at).filter((at) => at !== axis);
  const forth = [axis, ...others];
  return { forth, back: forth.map((_, at) => forth.indexOf(at)) };
}

/** The positions `indices`, on the host and all inside, of one axis of x. */
export function take(x: Value, axis: number, indices: readonly number[]): Value {
  if (!isTensor(x)) return takeHost(x, axis, indices);
  const [first = 0] = indices;
  if (indices.length > 0 && indices.every((index, i) => index === first + i)) {
    return ops.slice(x, axis, first, first + indices.length);
  }
  const { forth, back } = toFront(axis, x.rank);
  const front = permute(x, forth) as Tensor;
  const rows = gatherRows(front, upload(Int32Array.from(indices), [indices.length], x.on));
  return permute(rows, back);
}

/** y[i...] = x[ids[i...]] along the first axis. */
export function gatherRows(x: Tensor, ids: Tensor): Tensor {
  if (x.dtype !== 'float32') {
    throw new CudnnGruError('ERR_UNSUPPORTED', 'taking single rows of a tensor of integers');
  }
  const [rows, ...inner] = x.shape as [number, ...number[]];
  if (x.size === 0) {
    if (rows === 0 && ids.size > 0) throw new CudnnGruError('ERR_FORMAT', 'it takes rows of a tensor that has none');
    return fill([...ids.shape, ...inner], 0, x.on);
  }
  const table = ops.reshape(x, [rows, elementCount(inner)]);
  return ops.embedding(ids, table).reshape([...ids.shape, ...inner]);
}

/** Values side by side; on the host only if all are. */
export function concat(parts: readonly Value[], axis: number): Value {
  const tensors = parts.filter(isTensor);
  const [first] = tensors;
  if (!first) return concatHost(parts as HostArray[], axis);
  return ops.concat(
    parts.map((part) => toTensor(part, first.on)),
    axis,
  );
}

/** x repeated to the shape that it and `shape` broadcast to. */
export function expand(x: Value, shape: readonly number[], zeros: (shape: readonly number[]) => Tensor): Value {
  if (!isTensor(x)) return expandHost(x, shape);
  if (x.dtype !== 'float32') throw new CudnnGruError('ERR_UNSUPPORTED', 'Expand of a tensor of integers');
  return ops.add(x, zeros(shape));
}
