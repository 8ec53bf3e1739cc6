/**
 * What can go wrong besides a bad argument. Every `CudnnGruError` carries one of these as `code`:
 *
 * - `ERR_DEVICE_MISMATCH`: tensors of one operation live on different devices.
 * - `ERR_DEVICE_UNAVAILABLE`: the device asked for is not there, or this build has no backend for it.
 * - `ERR_DEVICE_LOST`: the GPU failed and cannot be used again by this process; the message names the first cause.
 * - `ERR_OUT_OF_MEMORY`: the device could not allocate; it stays usable.
 * - `ERR_FORMAT`: a file's contents are not what its format demands (truncated, lying, unknown element type).
 * - `ERR_FILE`: a file could not be opened, read or written (missing folder, permission, disk full).
 * - `ERR_DATA`: a data set cannot be used as asked (non-numeric cell, unknown column, fewer rows than a window).
 * - `ERR_DISPOSED`: a tensor, model or file handle was used after its `dispose()` or `close()`.
 * - `ERR_INDEX_OUT_OF_RANGE`: an index inside a tensor (embedding row, class label) lies outside its table.
 * - `ERR_NON_FINITE`: training met NaN or infinity and does not recover from it.
 * - `ERR_ADDON_LOAD`: the native addon was not found or did not load.
 * - `ERR_UNSUPPORTED`: a valid request that this version does not implement.
 * - `ERR_ABORTED`: an `AbortSignal` stopped the work, or the process ended before it was done: an exit handler finds the CPU's results that
 *   were there, and a GPU's no more.
 * - `ERR_BUSY`: as much work waits as is allowed to; try again later.
 * - `ERR_TIMEOUT`: the time allowed for it has passed.
 * - `ERR_NO_GRADIENT`: `backward()` on something that has no gradient to compute.
 * - `ERR_INTERNAL`: a check of our own failed; please report it.
 */
export type ErrorCode =
  | 'ERR_DEVICE_MISMATCH'
  | 'ERR_DEVICE_UNAVAILABLE'
  | 'ERR_DEVICE_LOST'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_FORMAT'
  | 'ERR_FILE'
  | 'ERR_DATA'
  | 'ERR_DISPOSED'
  | 'ERR_INDEX_OUT_OF_RANGE'
  | 'ERR_NON_FINITE'
  | 'ERR_ADDON_LOAD'
  | 'ERR_UNSUPPORTED'
  | 'ERR_ABORTED'
  | 'ERR_BUSY'
  | 'ERR_TIMEOUT'
  | 'ERR_NO_GRADIENT'
  | 'ERR_INTERNAL';

/** An error that is not the fault of one argument; `code` says which kind, `cause` holds the error below it. */
export class CudnnGruError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CudnnGruError';
    this.code = code;
  }
}

/** What a `TypeError` of this library carries: an argument of the wrong kind. */
export type ArgumentTypeError = TypeError & { readonly code: 'ERR_INVALID_ARG_TYPE' };

/** What a `RangeError` of this library carries: the right kind of argument, but a number or shape that cannot be. */
export type ArgumentRangeError = RangeError & { readonly code: 'ERR_OUT_OF_RANGE' };

export function argumentTypeError(message: string): ArgumentTypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' as const });
}

export function argumentRangeError(message: string): ArgumentRangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' as const });
}
