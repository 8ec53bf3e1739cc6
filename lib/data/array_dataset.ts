import { checkInteger, checkOneOf, checkOptions, wrongKind, wrongRange } from '../arguments.js';
import type { Batch, Dataset, HostArray, NumericArray } from './types.js';

/** Numbers in nested arrays: `[[1, 2], [3, 4]]` has the shape [2, 2]. */
export type NestedArray = readonly number[] | readonly NestedArray[];

/** What can be given as an array: typed (its shape is its length), with a shape, or nested. */
export type ArrayInput = NumericArray | HostArray | NestedArray;

export type ElementKind = 'float32' | 'int32';

export interface ArrayDatasetOptions {
  /** Shape [examples, ...]: one example per index of the first axis. */
  readonly inputs: ArrayInput;
  /** [examples, ...]. */
  readonly targets: ArrayInput;
  /** What nested arrays become; typed arrays keep their type. Default `float32`; `int32` for token numbers. */
  readonly inputType?: ElementKind;
  /** As `inputType`; `int32` for class labels. Default `float32`. */
  readonly targetType?: ElementKind;
}

/** Examples held in two arrays. Nothing is copied but the examples of a batch. */
export class ArrayDataset implements Dataset {
  readonly length: number;
  readonly inputs: HostArray;
  readonly targets: HostArray;

  /** @throws TypeError or RangeError for ragged arrays, or a different number of inputs and targets. */
  constructor(options: ArrayDatasetOptions) {
    checkOptions(options, 'options', ['inputs', 'targets', 'inputType', 'targetType']);
    this.inputs = toHostArray(options.inputs, 'inputs', options.inputType);
    this.targets = toHostArray(options.targets, 'targets', options.targetType);
    this.length = this.inputs.shape[0] as number;
    if (this.targets.shape[0] !== this.length) {
      throw wrongRange('targets', `as many examples as inputs (${this.length})`, [...this.targets.shape]);
    }
  }

  get(indices: ArrayLike<number>): Batch {
    return { inputs: selectRows(this.inputs, indices), targets: selectRows(this.targets, indices) };
  }
}

/** A part of another data set: example `i` of it is example `indices[i]` of `dataset`. */
export class Subset implements Dataset {
  readonly length: number;
  readonly dataset: Dataset;
  readonly indices: Int32Array;
  readonly lengthOf?: (index: number) => number;

  constructor(dataset: Dataset, indices: ArrayLike<number>) {
    this.dataset = dataset;
    this.indices = Int32Array.from(indices);
    this.length = this.indices.length;
    this.indices.forEach((index, i) => {
      checkInteger(index, `indices[${i}]`, { min: 0, below: dataset.length });
    });
    if (dataset.lengthOf !== undefined) {
      this.lengthOf = (index) => dataset.lengthOf?.(this.indices[index] as number) as number;
    }
  }

  get(indices: ArrayLike<number>): Batch {
    return this.dataset.get(Int32Array.from(indices, (index) => this.indices[index] as number));
  }
}

/** The rows of these numbers along the first axis. */
export function selectRows({ data, shape }: HostArray, indices: ArrayLike<number>): HostArray {
  const [rows = 0, ...rest] = shape;
  const size = product(rest);
  const out = sameKind(data, indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const index = checkInteger(indices[i], `indices[${i}]`, { min: 0, below: rows });
    out.set(data.subarray(index * size, (index + 1) * size), i * size);
  }
  return { data: out, shape: [indices.length, ...rest] };
}

/** An empty (zero) array of the same element type. */
export function sameKind(data: NumericArray, length: number): NumericArray {
  return data instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
}

export function product(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

/** Brings any accepted form of array to data and shape; nested arrays become `kind`. */
export function toHostArray(value: ArrayInput, name: string, kind: ElementKind = 'float32'): HostArray {
  if (value instanceof Float32Array || value instanceof Int32Array) return { data: value, shape: [value.length] };
  if (Array.isArray(value)) return fromNested(value as NestedArray, name, kind);
  if (typeof value !== 'object' || value === null || !('data' in value && 'shape' in value)) {
    throw wrongKind(name, 'a Float32Array, an Int32Array, { data, shape } or nested arrays', value);
  }
  const { data, shape } = value;
  if (!(data instanceof Float32Array || data instanceof Int32Array)) {
    throw wrongKind(`${name}.data`, 'a Float32Array or Int32Array', data);
  }
  if (!Array.isArray(shape) || shape.length === 0)
    throw wrongKind(`${name}.shape`, 'an array of at least one integer', shape);
  shape.forEach((dimension, axis) => {
    checkInteger(dimension, `${name}.shape[${axis}]`, { min: 0 });
  });
  if (product(shape) !== data.length) {
    throw wrongRange(`${name}.data`, `${product(shape)} elements for the shape [${shape.join(', ')}]`, data);
  }
  return { data, shape: [...shape] };
}

function fromNested(value: NestedArray, name: string, kind: ElementKind): HostArray {
  checkOneOf(kind, `the element type of ${name}`, ['float32', 'int32']);
  const shape: number[] = [];
  let level: unknown = value;
  while (Array.isArray(level)) {
    shape.push(level.length);
    level = level[0];
  }
  const data = kind === 'int32' ? new Int32Array(product(shape)) : new Float32Array(product(shape));
  let next = 0;
  const fill = (part: unknown, axis: number, place: string): void => {
    if (axis === shape.length) {
      if (typeof part !== 'number') throw wrongKind(place, 'a number', part);
      if (kind === 'int32') checkInteger(part, place, { min: -(2 ** 31), max: 2 ** 31 - 1 });
      data[next++] = part;
      return;
    }
    if (!Array.isArray(part)) throw wrongKind(place, `an array of ${shape[axis]}`, part);
    if (part.length !== shape[axis]) throw wrongRange(place, `an array of ${shape[axis]}, like the first one`, part);
    part.forEach((item, index) => {
      fill(item, axis + 1, `${place}[${index}]`);
    });
  };
  fill(value, 0, name);
  return { data, shape };
}
