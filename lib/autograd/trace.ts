import type { Tensor } from '../tensor/tensor.js';

/** One call of an operation. */
export interface TracedOperation {
  readonly operation: string;
  readonly inputs: readonly (Tensor | null | undefined)[];
  readonly results: readonly Tensor[];
  /** What the operation was asked besides its inputs, as its rule for export reads it. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

let observer: ((operation: TracedOperation) => void) | null = null;

/** Runs `fn` and reports every operation in it, in their order. */
export function observeOperations<T>(observe: (operation: TracedOperation) => void, fn: () => T): T {
  const before = observer;
  observer = observe;
  try {
    return fn();
  } finally {
    observer = before;
  }
}

/** Every operation calls this once: those with one result through `record`. */
export function trace(
  operation: string,
  inputs: TracedOperation['inputs'],
  results: readonly Tensor[],
  attributes: TracedOperation['attributes'],
): void {
  observer?.({ operation, inputs, results, attributes });
}
