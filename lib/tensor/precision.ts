import { checkFunction, checkOneOf } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { Device } from './device.js';

/**
 * How `gru`, `linear` and `matmul` compute on a GPU; tensors are float32 everywhere.
 *
 * - `'float32'`: products and sums in float32.
 * - `'tf32'`: products of numbers rounded to 10 bits of mantissa, summed in float32.
 * - `'float16'`, `'bfloat16'`: numbers in 16 bits inside the operation, sums in float32; results, gradients and parameters stay
 *   float32 outside. float16 gradients are scaled inside each operation by a power of two that follows their largest value, so that
 *   small ones are not lost.
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
 * for another precision
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
