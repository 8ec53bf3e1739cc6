import {
  checkBoolean,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkShape,
  wrongKind,
  wrongRange,
} from '../arguments.js';
import { addon } from '../native/load.js';
import { fill, result, upload } from '../ops/result.js';
import { type Device, type DeviceName, deviceOf } from './device.js';
import { defaultGenerator, Generator } from './generator.js';
import { type DType, elementCount, hostMemory, type Tensor, type TensorData } from './tensor.js';

/** Numbers, or arrays of arrays of numbers of equal lengths. */
export type NestedNumbers = number | readonly NestedNumbers[];

export interface TensorOptions {
  /** Default: float32; int32 for an Int32Array. */
  dtype?: DType;
  /** Default: 'cpu'. */
  device?: DeviceName | 'auto';
  /** Whether gradients are computed for it. Default: false. */
  requiresGrad?: boolean;
}

export interface RandomOptions extends Omit<TensorOptions, 'dtype'> {
  /** Default: the generator that `setSeed` seeds. */
  generator?: Generator;
}

const tensorOptions = ['dtype', 'device', 'requiresGrad'];
const dtypes = ['float32', 'int32'] as const;

/**
 * A tensor of these numbers, copied.
 *
 * @param data a number, nested arrays, or a typed array
 * @param shape default: the nesting of `data`, or one axis for a typed array
 * @throws TypeError, RangeError; CudnnGruError `ERR_OUT_OF_MEMORY`, `ERR_DEVICE_UNAVAILABLE`
 */
export function tensor(
  data: NestedNumbers | TensorData | Float64Array,
  shape?: readonly number[],
  options: TensorOptions = {},
): Tensor {
  checkOptions(options, 'options', tensorOptions);
  const dtype = checkOneOf(options.dtype ?? (data instanceof Int32Array ? 'int32' : 'float32'), 'dtype', dtypes);
  const nested = ArrayBuffer.isView(data) ? [data.length] : nestingOf(data);
  const dimensions = shape === undefined ? nested : checkShape(shape, 'shape');
  if (elementCount(dimensions) !== elementCount(nested)) {
    throw wrongRange('shape', `dimensions with ${elementCount(nested)} elements in all`, shape);
  }
  return withGrad(upload(hostArray(data, dtype, nested), dimensions, deviceOf(options.device)), options);
}

/** A tensor of zeros. @throws TypeError, RangeError */
export function zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return filled(shape, 0, options);
}

/** A tensor of ones. @throws TypeError, RangeError */
export function ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return filled(shape, 1, options);
}

/** Standard normal numbers (Box-Muller on Philox words). @throws TypeError, RangeError */
export function randn(shape: readonly number[], options: RandomOptions = {}): Tensor {
  const { device, generator } = checkRandom(options);
  const out = result(checkShape(shape, 'shape'), 'float32', device);
  const { seed, offset } = generator.take(out.size);
  addon.randomNormal(device.index, out.size, seed, offset, 0, 1, out.handle);
  return withGrad(out, options);
}

/**
 * Numbers evenly distributed over [low, high).
 * @throws TypeError, RangeError
 */
export function uniform(shape: readonly number[], low = 0, high = 1, options: RandomOptions = {}): Tensor {
  const { device, generator } = checkRandom(options);
  checkNumber(low, 'low');
  checkNumber(high, 'high', { min: low });
  const out = result(checkShape(shape, 'shape'), 'float32', device);
  const { seed, offset } = generator.take(out.size);
  addon.randomUniform(device.index, out.size, seed, offset, low, high, out.handle);
  return withGrad(out, options);
}

function filled(shape: readonly number[], value: number, options: TensorOptions): Tensor {
  checkOptions(options, 'options', tensorOptions);
  const dimensions = checkShape(shape, 'shape');
  const device = deviceOf(options.device);
  if (checkOneOf(options.dtype ?? 'float32', 'dtype', dtypes) === 'int32') {
    return upload(hostMemory('int32', elementCount(dimensions)).fill(value), dimensions, device);
  }
  return withGrad(fill(dimensions, value, device), options);
}

function checkRandom(options: RandomOptions): { device: Device; generator: Generator } {
  checkOptions(options, 'options', ['device', 'requiresGrad', 'generator']);
  const generator = options.generator ?? defaultGenerator;
  if (!(generator instanceof Generator)) throw wrongKind('generator', 'a Generator', generator);
  return { device: deviceOf(options.device), generator };
}

function withGrad(result: Tensor, options: { requiresGrad?: boolean }): Tensor {
  if (options.requiresGrad !== undefined) result.requiresGrad = checkBoolean(options.requiresGrad, 'requiresGrad');
  return result;
}

function nestingOf(data: unknown): number[] {
  if (typeof data === 'number') return [];
  if (!Array.isArray(data)) throw wrongKind('data', 'a number, nested arrays of numbers, or a typed array', data);
  return data.length === 0 ? [0] : [data.length, ...nestingOf(data[0])];
}

function hostArray(
  data: NestedNumbers | TensorData | Float64Array,
  dtype: DType,
  nesting: readonly number[],
): TensorData {
  if (dtype === 'float32' && data instanceof Float32Array) return data;
  if (dtype === 'int32' && data instanceof Int32Array) return data;
  if (
    ArrayBuffer.isView(data) &&
    !(data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array)
  ) {
    throw wrongKind('data', 'a Float32Array, Float64Array or Int32Array', data);
  }
  const target = dtype === 'float32' ? new Float32Array(elementCount(nesting)) : new Int32Array(elementCount(nesting));
  const path: number[] = [];
  const name = () => ['data', ...path.map((index) => `[${index}]`)].join('');
  let position = 0;
  const visit = (value: unknown, axis: number): void => {
    if (axis === nesting.length) {
      if (typeof value !== 'number') throw wrongKind(name(), 'a number', value);
      if (dtype === 'int32' && (value | 0) !== value) throw wrongRange(name(), 'a 32-bit integer', value);
      target[position++] = value;
      return;
    }
    const items = value as ArrayLike<unknown>;
    if (!(Array.isArray(value) || ArrayBuffer.isView(value)) || items.length !== nesting[axis]) {
      throw wrongRange(name(), `an array of ${nesting[axis]} as its neighbours`, value);
    }
    for (let index = 0; index < items.length; index++) {
      path.push(index);
      visit(items[index], axis + 1);
      path.pop();
    }
  };
  visit(data, 0);
  return target;
}
