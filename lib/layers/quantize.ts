import { noGrad } from '../autograd/tape.js';
import { CudnnGruError } from '../errors.js';
import type { Precision } from '../ops/gru_quantized.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import { frozenParameter, isParameter } from './parameters.js';

/** @internal A matrix in low precision, on the host. */
export interface QuantizedMatrix {
  /** [rows, ceil(columns / 4 or 2)]: a row's values side by side, the first in the lowest bits of a word, the rest 0. */
  words: Int32Array;
  /** [rows] int8: what one step of each row stands for. */
  scales: Float32Array | null;
}

/** @internal A float32 matrix, each row with a scale of its own (int8) or rounded to nearest, ties to even (bfloat16). */
export function quantizeMatrix(data: Float32Array, rows: number, precision: Precision, name: string): QuantizedMatrix {
  const columns = data.length / rows;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new CudnnGruError('ERR_NON_FINITE', `quantize: ${name} holds ${data[i]} at index ${i}`);
  }
  return precision === 'int8' ? toInt8(data, rows, columns) : toBfloat16(data, rows, columns);
}

function toInt8(data: Float32Array, rows: number, columns: number): QuantizedMatrix {
  const words = new Int32Array(rows * Math.ceil(columns / 4));
  const bytes = new Int8Array(words.buffer);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    let largest = 0;
    for (let i = 0; i < columns; i++) largest = Math.max(largest, Math.abs(values[i] as number));
    // A row too small for float32 to hold its step is a row of zeros.
    const scale = Math.fround(largest / 127);
    scales[row] = scale;
    const start = (row * bytes.length) / rows;
    if (scale === 0) continue;
    for (let i = 0; i < columns; i++) {
      bytes[start + i] = Math.max(-127, Math.min(127, Math.round((values[i] as number) / scale)));
    }
  }
  return { words, scales };
}

function toBfloat16(data: Float32Array, rows: number, columns: number): QuantizedMatrix {
  const words = new Int32Array(rows * Math.ceil(columns / 2));
  const halves = new Uint16Array(words.buffer);
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let row = 0; row < rows; row++) {
    const start = (row * halves.length) / rows;
    for (let i = 0; i < columns; i++) {
      const value = bits[row * columns + i] as number;
      halves[start + i] = (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
    }
  }
  return { words, scales: null };
}

/** @internal A module that knows its own quantized form. */
export interface Quantizable {
  toQuantized(precision: Precision): Module;
}

/**
 * @internal Makes `copy`, a module of the same structure as `original`, its quantized form: parameters are copied, modules that can be
 * quantized are replaced.
 */
export function quantizeInto(original: Module, copy: Module, precision: Precision): void {
  copy.preprocessing = original.preprocessing;
  copy.summary = original.summary;
  replaceWithin(original, copy, precision);
  copy.quantization ??= precision; // a layer that was quantized before stays what it is
}

function replaceWithin(original: object, copy: object, precision: Precision): void {
  const target = copy as Record<string, unknown>;
  for (const [name, value] of Object.entries(original)) {
    const old = target[name];
    if (isParameter(value)) {
      (old as Tensor).dispose();
      target[name] = frozenParameter(noGrad(() => value.clone()));
    } else if (value instanceof Module && old instanceof Module) {
      if ('toQuantized' in value) {
        target[name] = (value as Module & Quantizable).toQuantized(precision);
        old.dispose();
      } else quantizeInto(value, old, precision);
    } else if (Array.isArray(value) && Array.isArray(old)) replaceWithin(value, old, precision);
  }
}
