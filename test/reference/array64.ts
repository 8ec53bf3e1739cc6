/**
 * A float64 array of any shape, whose accesses are checked: the references are written with it, so that they read like
 * their formulas and cannot step outside their arrays.
 */
export class Array64 {
  readonly data: Float64Array;
  readonly shape: readonly number[];
  readonly #strides: readonly number[];

  constructor(shape: readonly number[], data?: ArrayLike<number>) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (data !== undefined && data.length !== count) {
      throw new RangeError(`${data.length} values for shape [${shape.join(', ')}]`);
    }
    this.shape = shape;
    this.data = data === undefined ? new Float64Array(count) : Float64Array.from(data);
    this.#strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  }

  static zerosLike(other: Array64): Array64 {
    return new Array64(other.shape);
  }

  get count(): number {
    return this.data.length;
  }

  size(axis: number): number {
    const size = this.shape[axis];
    if (size === undefined) throw new RangeError(`axis ${axis} of shape [${this.shape.join(', ')}]`);
    return size;
  }

  at(...index: number[]): number {
    return this.data[this.#position(index)] as number;
  }

  set(value: number, ...index: number[]): void {
    this.data[this.#position(index)] = value;
  }

  add(value: number, ...index: number[]): void {
    const position = this.#position(index);
    this.data[position] = (this.data[position] as number) + value;
  }

  map(f: (value: number, position: number) => number): Array64 {
    return new Array64(this.shape, this.data.map(f));
  }

  copy(): Array64 {
    return new Array64(this.shape, this.data);
  }

  reshape(...shape: number[]): Array64 {
    return new Array64(shape, this.data);
  }

  #position(index: readonly number[]): number {
    if (index.length !== this.shape.length) {
      throw new RangeError(`index [${index.join(', ')}] of shape [${this.shape.join(', ')}]`);
    }
    let position = 0;
    for (let axis = 0; axis < index.length; ++axis) {
      const i = index[axis] as number;
      if (!(i >= 0 && i < (this.shape[axis] as number))) {
        throw new RangeError(`index [${index.join(', ')}] of shape [${this.shape.join(', ')}]`);
      }
      position += i * (this.#strides[axis] as number);
    }
    return position;
  }
}

/** Every index of a shape, the last axis fastest. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const [size, ...rest] = shape;
  if (size === undefined) {
    yield [];
    return;
  }
  for (let i = 0; i < size; ++i) for (const inner of indices(rest)) yield [i, ...inner];
}

/** 0, 1, …, count - 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The item of a list that must have it. */
export function item<T>(list: ArrayLike<T>, i: number): T {
  if (!(i >= 0 && i < list.length)) throw new RangeError(`item ${i} of ${list.length}`);
  return list[i] as T;
}
