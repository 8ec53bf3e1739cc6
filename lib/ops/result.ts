import { describe, wrongKind, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { addon } from '../native/load.js';
import type { Device } from '../tensor/device.js';
import { Storage } from '../tensor/storage.js';
import { type DType, elementCount, Tensor, type TensorData } from '../tensor/tensor.js';

const mostElements = 2 ** 40;

/** @internal A tensor for an operation to fill: its memory comes into being with the native call that names its handle. */
export function result(shape: readonly number[], dtype: DType, device: Device): Tensor {
  const count = elementCount(shape);
  if (count > mostElements) throw wrongRange('shape', 'at most 2^40 elements', [...shape]);
  return new Tensor(new Storage(count), shape, dtype, device);
}

/** @internal As `result`, of the shape and type of `x`. */
export function resultLike(x: Tensor): Tensor {
  return result(x.shape, x.dtype, x.on);
}

/** @internal A tensor with the numbers of `data`, copied to the device. */
export function upload(data: TensorData, shape: readonly number[], device: Device): Tensor {
  if (!(data.buffer instanceof ArrayBuffer))
    throw wrongKind('data', 'an array over an ArrayBuffer (copy a shared one first)', data);
  const out = result(shape, data instanceof Int32Array ? 'int32' : 'float32', device);
  addon.upload(device.index, data, out.handle);
  return out;
}

/** @internal Tensors of these shapes in the memory of `whole`, which is given up; side by side if no offsets (in elements) are given. */
export function divide(whole: Tensor, shapes: readonly (readonly number[])[], offsets?: ArrayLike<number>): Tensor[] {
  const parts = shapes.map((shape) => result(shape, whole.dtype, whole.on));
  const counts = Float64Array.from(parts, (part) => part.size);
  const sideBySide = new Float64Array(parts.length);
  for (let index = 1; index < parts.length; index++) {
    sideBySide[index] = (sideBySide[index - 1] as number) + (counts[index - 1] as number);
  }
  addon.divide(whole.handle, handlesOf(parts), offsets ? Float64Array.from(offsets) : sideBySide, counts);
  whole.dispose();
  return parts;
}

/** @internal A tensor filled with one number. */
export function fill(shape: readonly number[], value: number, device: Device): Tensor {
  const out = result(shape, 'float32', device);
  addon.fill(device.index, out.size, value, out.handle);
  return out;
}

/** @internal */
export function handlesOf(tensors: readonly Tensor[]): Int32Array {
  return Int32Array.from(tensors, (tensor) => tensor.handle);
}

/** @internal A tensor, of type float32 unless said otherwise, and of this rank if one is given. */
export function checkTensor(value: unknown, name: string, dtype: DType | 'any' = 'float32', rank?: number): Tensor {
  if (!(value instanceof Tensor)) throw wrongKind(name, 'a Tensor', value);
  if (dtype !== 'any' && value.dtype !== dtype) throw wrongKind(name, `a Tensor of type ${dtype}`, value);
  if (rank !== undefined && value.rank !== rank) throw wrongRange(name, `a Tensor of rank ${rank}`, value);
  void value.handle;
  return value;
}

/** @internal A tensor of exactly this shape. */
export function checkTensorShape(
  value: unknown,
  name: string,
  shape: readonly number[],
  dtype: DType = 'float32',
): Tensor {
  const tensor = checkTensor(value, name, dtype);
  if (!sameShape(tensor.shape, shape)) throw wrongRange(name, `shape [${shape.join(', ')}]`, tensor);
  return tensor;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/** @internal The one device of an operation's tensors. @throws CudnnGruError ERR_DEVICE_MISMATCH naming both */
export function commonDevice(operation: string, tensors: Readonly<Record<string, Tensor | null | undefined>>): Device {
  let first: [string, Tensor] | undefined;
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!tensor) continue;
    first ??= [name, tensor];
    if (tensor.on !== first[1].on) {
      throw new CudnnGruError(
        'ERR_DEVICE_MISMATCH',
        `${operation}: ${first[0]} is on ${first[1].device}, ${name} is on ${tensor.device}; move one with to()`,
      );
    }
  }
  if (!first)
    throw new CudnnGruError('ERR_INTERNAL', `${operation}: no tensor among ${describe(Object.keys(tensors))}`);
  return first[1].on;
}

/** @internal An axis of a tensor, counted from the end if negative. */
export function checkAxis(axis: unknown, name: string, rank: number): number {
  if (typeof axis !== 'number') throw wrongKind(name, 'an integer', axis);
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw wrongRange(name, `an axis of a tensor of rank ${rank} (${-rank} to ${rank - 1})`, axis);
  }
  return positive;
}
