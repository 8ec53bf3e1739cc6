import { quote } from '../../arguments.js';
import type { HostArray, NumericArray } from '../../data/types.js';
import type { TensorSpec } from '../signature.js';

/** A row's values and its shape, or why it cannot be computed. */
export type RowValues =
  | { readonly shape: readonly number[]; readonly data: NumericArray }
  | { readonly reason: string };

const largest = 3.4028234663852886e38; // of float32

/** What every row of a model's input must be. */
export class RowChecker {
  readonly #spec: TensorSpec;
  readonly #axes: TensorSpec['shape']; // of a row
  readonly #width: number; // numbers of a step

  constructor(spec: TensorSpec) {
    this.#spec = spec;
    this.#axes = spec.shape.slice(1);
    this.#width = this.#axes.reduce<number>((size, axis) => (axis === 'time' ? size : size * (axis as number)), 1);
  }

  /** As the model names it: [time, 16]. */
  get expected(): string {
    return `[${this.#axes.join(', ')}]`;
  }

  array(count: number): NumericArray {
    return this.#spec.dtype === 'int32' ? new Int32Array(count) : new Float32Array(count);
  }

  /** The numbers in the type that the model reads. */
  converted(data: NumericArray): NumericArray {
    const own = this.array(0);
    if (own.constructor === data.constructor) return data;
    return own instanceof Int32Array ? Int32Array.from(data) : Float32Array.from(data);
  }

  fits(shape: readonly number[]): boolean {
    return (
      shape.length === this.#axes.length &&
      shape.every((size, i) => size > 0 && [size, 'time'].includes(this.#axes[i] as never))
    );
  }

  /** The first value that the model cannot read. */
  fault(data: NumericArray): string | undefined {
    const { dtype, vocabularySize } = this.#spec;
    const [low, high] =
      dtype === 'float32' ? [-largest, largest] : [0, (vocabularySize ?? Number.POSITIVE_INFINITY) - 1];
    if (dtype === 'int32' && vocabularySize === undefined) return undefined;
    for (let i = 0; i < data.length; i++) {
      const value = data[i] as number;
      if (value >= low && value <= high) continue;
      return `value ${i + 1} is ${value}${dtype === 'int32' ? `, not one of the ${vocabularySize} tokens` : ''}`;
    }
    return undefined;
  }

  /** Nested arrays of numbers, as JSON gives them. */
  fromNested(value: unknown): RowValues {
    const shape: number[] = [];
    for (let at = value; Array.isArray(at); at = at[0]) shape.push(at.length);
    if (!this.fits(shape))
      return { reason: `expected numbers of shape ${this.expected}, got shape [${shape.join(', ')}]` };
    const values = shape.length > 1 ? (value as unknown[]).flat(shape.length - 1) : (value as unknown[]);
    const isWhole = this.#spec.dtype === 'int32';
    const wrong = values.findIndex((each) => (isWhole ? !Number.isSafeInteger(each) : typeof each !== 'number'));
    if (wrong >= 0) return { reason: `value ${wrong + 1} is no ${isWhole ? 'whole ' : ''}number` };
    const data = this.array(shape.reduce((product, size) => product * size, 1));
    if (values.length !== data.length) return { reason: 'its lists have different lengths' };
    data.set(values as number[]);
    return this.#checked(shape, data);
  }

  fromArray({ data, shape }: HostArray): RowValues {
    if (!this.fits(shape) || shape.reduce((product, size) => product * size, 1) !== data.length) {
      return { reason: `expected ${this.expected}, got ${data.length} numbers of shape [${shape.join(', ')}]` };
    }
    if (data.constructor !== this.array(0).constructor)
      return { reason: `expected numbers of type ${this.#spec.dtype}` };
    return this.#checked(shape, data);
  }

  /**
   * A row's numbers side by side, as a table has them: all steps of a sequence, each with all features. Empty cells at the end are steps
   * that it does not have.
   *
   * @param order where in `cells` they are
   * @param cells NaN: empty
   * @param names of the cells
   */
  fromCells(order: readonly number[], cells: ArrayLike<number>, names: readonly string[]): RowValues {
    const at = (i: number) => cells[order[i] as number] as number;
    let count = order.length;
    while (count > 0 && Number.isNaN(at(count - 1))) count--;
    const width = this.#width;
    const time = count / width;
    const fits = Number.isInteger(time) && time >= 1 && (this.#axes.includes('time') || time === 1);
    if (!fits) return { reason: `expected numbers for ${this.expected}, got ${count} numbers` };
    const data = this.array(count);
    const isWhole = this.#spec.dtype === 'int32';
    for (let i = 0; i < count; i++) {
      const value = at(i);
      if (Number.isNaN(value)) return { reason: `${quote(names[order[i] as number] ?? '')} is empty` };
      if (isWhole && !Number.isSafeInteger(value)) return { reason: 'it has a number that is not whole' };
      data[i] = value;
    }
    return this.#checked(
      this.#axes.map((axis) => (axis === 'time' ? time : (axis as number))),
      data,
    );
  }

  #checked(shape: readonly number[], data: NumericArray): RowValues {
    const reason = this.fault(data);
    return reason === undefined ? { shape, data } : { reason };
  }
}
