import { checkFunction, checkOneOf } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { Device } from './device.js';

/**
 * How `gru`, `linear` and `matmul` compute on a GPU; tensors are float32 everywhere.
 *
 * - `'float32'`: products and sums in float32.
 * - `'tf32'`: products of numbers rounded to 10 bits of mantissa, summed in float32.
 * - `'float16'`, `'bfloat16'`: numbers in 16 bits inside the operation, sums in float32. Results, gradients, parameters and the
 *   optimizer's state are float32 outside, so the weights that are trained are never rounded.
 *
 * float16 needs no loss scale: gradients are never float16 outside an operation, and inside, the GRU scales its own by a power of two that
 * follows their largest value and how many of them a weight's gradient adds up, while `linear`, `matmul` and the reset-before cell compute
 * them in TF32, which has float16's mantissa and float32's range. Where gradients still grow beyond float16 on their way back through
 * time, more than some 64 times, the optimizer skips the step and counts it in `skippedSteps`; those below 2^-24 of the largest (2^-16 in
 * batches of 2^17 steps of rows and more) become 0. bfloat16 has float32's range.
 *
 * A GRU in bfloat16 needs compute capability 8.0 (Ampere) and cuDNN 9.13; the reset-before cell, `linear` and `matmul` use cuBLAS, which decides for
 * itself.
 */
export type ComputePrecision = 'float32' | 'tf32' | 'float16' | 'bfloat16';

/** @internal In the order of native/ops/precision.h. */
export const computePrecisions: readonly ComputePrecision[] = ['float32', 'tf32', 'float16', 'bfloat16'];

let current: ComputePrecision = 'float32';

/**
 * Runs `fn` so that `gru`, `linear` and `matmul` called in it compute in this precision; a `backward()` later on computes in the
 * precision of its forward operation. Scopes may be nested; what an asynchronous `fn` calls after its first `await` is outside.
 *
 * @throws TypeError, RangeError; inside, CudnnGruError `ERR_UNSUPPORTED` where a device that computes in float32 only, the CPU, is asked
 * for another precision; and where the result is read, if the GPU or its cuDNN does not compute in it
 */
export function withPrecision<T>(precision: ComputePrecision, fn: () => T): T {
  checkOneOf(precision, 'precision', computePrecisions);
  checkFunction(fn, 'fn');
  const before = current;
  current = precision;
  try {
    return fn();
  } finally {
    current = before;
  }
}

/** @internal The precision that an operation computes in now. */
export function currentPrecision(): ComputePrecision {
  return current;
}

/** @internal What products with a gradient are computed in: gradients are too small for float16's range. */
export function gradientPrecision(precision: ComputePrecision): ComputePrecision {
  return precision === 'float16' ? 'tf32' : precision;
}

/** @internal The native number of `precision`. @throws CudnnGruError ERR_UNSUPPORTED where the device does not compute in it */
export function precisionOn(device: Device, operation: string, precision = current): number {
  if (precision !== 'float32' && device.name === 'cpu') {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `${operation}: precision '${precision}' needs a GPU; the device 'cpu' computes in 'float32'`,
    );
  }
  return computePrecisions.indexOf(precision);
}
