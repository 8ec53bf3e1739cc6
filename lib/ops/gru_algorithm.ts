/**
 * How a GPU runs a `gru` of the reset-after cell; a device that knows a single way ignores it, and a backward operation takes its
 * forward operation's. Results agree to rounding.
 *
 * - `'auto'`: what is on record as the fastest for the shape. If nothing is, the choice is measured where gradients are recorded, in the
 *   validation of a training and in batch prediction; elsewhere it is `'standard'`, so that no prediction waits for a measurement.
 * - `'tuned'`: what is on record; if nothing is, it is measured, whatever the call.
 * - `'standard'`: one launch or more for each time step.
 * - `'persistStatic'`, `'persistStaticSmallH'`: cuDNN's persistent kernels, which keep the recurrent weights on the chip. A shape or
 *   precision that they do not take, rows that are shorter than the sequence, and a GRU without biases are CudnnGruError
 *   `ERR_UNSUPPORTED` where the result is read.
 */
export type GruAlgorithm = 'auto' | 'tuned' | 'standard' | 'persistStatic' | 'persistStaticSmallH';

/** @internal In the order of native/ops/gru.h. */
export const gruAlgorithms: readonly GruAlgorithm[] = [
  'auto',
  'tuned',
  'standard',
  'persistStatic',
  'persistStaticSmallH',
];

let measuring = false;

/**
 * @internal Runs `fn` so that calls of `gru` in it are measured where nothing is on record, though no gradients are recorded: many of their shape
 * will come. What an asynchronous `fn` calls after its first `await` is outside.
 */
export function withMeasuredGru<T>(fn: () => T): T {
  const before = measuring;
  measuring = true;
  try {
    return fn();
  } finally {
    measuring = before;
  }
}

/** @internal The native number of `algorithm`, as it is meant now. */
export function algorithmNumber(algorithm: GruAlgorithm): number {
  return gruAlgorithms.indexOf(algorithm === 'auto' && measuring ? 'tuned' : algorithm);
}
