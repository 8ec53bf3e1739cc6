import { checkPositiveInteger, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';

/** What a model file keeps of a scaler. */
export interface ScalerJson {
  readonly kind: 'standard' | 'minMax';
  readonly offset: readonly number[];
  readonly scale: readonly number[];
}

/**
 * Maps each feature (column of a row-major [rows, features] array) to (x - offset) / scale and back. Made by
 * `fitStandardScaler` or `fitMinMaxScaler` from training rows only, and kept in the model file.
 */
export class Scaler {
  readonly kind: ScalerJson['kind'];
  /** Per feature, in the feature's own units. */
  readonly offset: Float64Array;
  /** Per feature, in the feature's own units; never zero. */
  readonly scale: Float64Array;

  constructor({ kind, offset, scale }: ScalerJson) {
    this.kind = kind;
    this.offset = Float64Array.from(offset);
    this.scale = Float64Array.from(scale);
  }

  get features(): number {
    return this.offset.length;
  }

  /** [rows, features] in the features' units to [rows, features] without units. */
  transform(values: ArrayLike<number>): Float32Array {
    const out = this.#sameSize(values);
    for (let i = 0, feature = 0; i < out.length; i++) {
      out[i] = ((values[i] as number) - (this.offset[feature] as number)) / (this.scale[feature] as number);
      feature = feature + 1 === this.features ? 0 : feature + 1;
    }
    return out;
  }

  /** The reverse of `transform`. */
  inverse(values: ArrayLike<number>): Float32Array {
    const out = this.#sameSize(values);
    for (let i = 0, feature = 0; i < out.length; i++) {
      out[i] = (values[i] as number) * (this.scale[feature] as number) + (this.offset[feature] as number);
      feature = feature + 1 === this.features ? 0 : feature + 1;
    }
    return out;
  }

  toJSON(): ScalerJson {
    return { kind: this.kind, offset: [...this.offset], scale: [...this.scale] };
  }

  /** @throws ERR_FORMAT when `json` is not what `toJSON` gives. */
  static fromJSON(json: unknown): Scaler {
    const { kind, offset, scale } = (json ?? {}) as Partial<Record<keyof ScalerJson, unknown>>;
    const valid =
      (kind === 'standard' || kind === 'minMax') &&
      isFiniteList(offset) &&
      isFiniteList(scale) &&
      offset.length > 0 &&
      offset.length === scale.length &&
      !scale.includes(0);
    if (!valid) throw new CudnnGruError('ERR_FORMAT', 'the description of a scaler is malformed');
    return new Scaler({ kind, offset, scale });
  }

  #sameSize(values: ArrayLike<number>): Float32Array {
    if (values.length % this.features !== 0) {
      throw wrongRange('values', `rows of ${this.features} features`, values);
    }
    return new Float32Array(values.length);
  }
}

function isFiniteList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isFinite(item));
}

/** Fits x' = (x - mean) / standard deviation per feature of `values` [rows, features]. A constant feature becomes 0. */
export function fitStandardScaler(values: ArrayLike<number>, features = 1): Scaler {
  const rows = countRows(values, features);
  const offset: number[] = [];
  const scale: number[] = [];
  for (let feature = 0; feature < features; feature++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += values[row * features + feature] as number;
    const mean = sum / rows;
    let squares = 0;
    for (let row = 0; row < rows; row++) squares += ((values[row * features + feature] as number) - mean) ** 2;
    offset.push(mean);
    scale.push(usable(Math.sqrt(squares / rows), mean));
  }
  return finished('standard', offset, scale);
}

/** Fits x' = (x - minimum) / (maximum - minimum) per feature of `values` [rows, features]. A constant feature becomes 0. */
export function fitMinMaxScaler(values: ArrayLike<number>, features = 1): Scaler {
  const rows = countRows(values, features);
  const offset: number[] = [];
  const scale: number[] = [];
  for (let feature = 0; feature < features; feature++) {
    let minimum = Number.POSITIVE_INFINITY;
    let maximum = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < rows; row++) {
      const value = values[row * features + feature] as number;
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
    }
    offset.push(minimum);
    scale.push(usable(maximum - minimum, minimum));
  }
  return finished('minMax', offset, scale);
}

function countRows(values: ArrayLike<number>, features: number): number {
  checkPositiveInteger(features, 'features');
  if (values.length === 0 || values.length % features !== 0) {
    throw wrongRange('values', `at least one row of ${features} features`, values);
  }
  return values.length / features;
}

// A spread that is only rounding (of a constant column such as 0.1) would blow up to noise: take 1 instead.
function usable(spread: number, level: number): number {
  return spread > Math.abs(level) * 1e-12 ? spread : 1;
}

function finished(kind: ScalerJson['kind'], offset: number[], scale: number[]): Scaler {
  const feature = offset.findIndex((value, index) => !Number.isFinite(value) || !Number.isFinite(scale[index]));
  if (feature >= 0) throw new CudnnGruError('ERR_DATA', `feature ${feature} holds values that are not finite numbers`);
  return new Scaler({ kind, offset, scale });
}
