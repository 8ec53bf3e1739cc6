import { checkInteger, checkNumber, checkOptions, checkPositiveInteger, checkSeed, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { RandomStream, range, shuffle } from './random.js';
import { windowStarts } from './windows.js';

/** How much goes to validation and test: a share (below 1) or a number of rows or examples (an integer). */
export interface SplitSizes {
  /** Default 0. */
  readonly validation?: number;
  /** Default 0. */
  readonly test?: number;
}

/** Numbers of examples (`randomSplit`) or first rows of windows (`splitWindows`). */
export interface Split {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

export interface WindowSplitOptions extends SplitSizes {
  /** Rows of the series. */
  readonly rows: number;
  readonly window: number;
  readonly horizon: number;
  /** Rows between the starts of neighbouring windows. Default 1. */
  readonly stride?: number;
}

export interface WindowSplit extends Split {
  /** Rows before this one belong to training: what scalers may be fitted on. */
  readonly validationRow: number;
  /** Rows from this one on belong to the test. */
  readonly testRow: number;
}

/**
 * Cuts a series in time: the earliest rows for training, the next for validation, the last for the test. A window
 * belongs to the part that holds all its target rows, and to none when they cross a boundary; so no target row is in
 * two parts, and no training window has seen a row of validation or test. A validation or test window may read
 * history from the part before, as a forecast made on that day would.
 *
 * @throws ERR_DATA when a part that was asked for gets no window.
 */
export function splitWindows(options: WindowSplitOptions): WindowSplit {
  checkOptions(options, 'options', ['rows', 'window', 'horizon', 'stride', 'validation', 'test']);
  const { rows, window, horizon, stride = 1 } = options;
  const starts = windowStarts(rows, window, horizon, stride);
  const sizes = partSizes(rows, options);
  const testRow = rows - sizes.test;
  const validationRow = testRow - sizes.validation;
  const within = (first: number, end: number) =>
    starts.filter((start) => start + window >= first && start + window + horizon <= end);
  const split = {
    train: within(0, validationRow),
    validation: within(validationRow, testRow),
    test: within(testRow, rows),
    validationRow,
    testRow,
  };
  const empty = emptyPart(split, options);
  if (empty !== undefined) {
    throw new CudnnGruError(
      'ERR_DATA',
      `not one window of ${window} rows with a horizon of ${horizon} is left for ${empty}: ${rows} rows, of them ` +
        `${sizes.validation} for validation and ${sizes.test} for the test`,
    );
  }
  return split;
}

/**
 * Deals examples that do not depend on each other at random. Each part is in rising order; the same seed gives the
 * same parts.
 *
 * @throws ERR_DATA when a part that was asked for gets no example.
 */
export function randomSplit(length: number, options: SplitSizes & { readonly seed?: number } = {}): Split {
  checkPositiveInteger(length, 'length');
  checkOptions(options, 'options', ['validation', 'test', 'seed']);
  const sizes = partSizes(length, options);
  const order = range(length);
  shuffle(order, new RandomStream(checkSeed(options.seed ?? 0), SPLIT_STREAM));
  const trainSize = length - sizes.validation - sizes.test;
  const split = {
    train: order.slice(0, trainSize).sort(),
    validation: order.slice(trainSize, trainSize + sizes.validation).sort(),
    test: order.slice(trainSize + sizes.validation).sort(),
  };
  const empty = emptyPart(split, options);
  if (empty !== undefined) throw new CudnnGruError('ERR_DATA', `not one of ${length} examples is left for ${empty}`);
  return split;
}

/** One part of a cross-validation. */
export interface Fold {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * Cross-validation: examples that do not depend on each other, dealt at random to `folds` parts of about equal size, each of which is the test
 * of one fold and among the training examples of the others. Parts are in rising order; the same seed gives the same ones.
 *
 * @param options folds: from 2 to `length`. Default: 5. seed: default: 0
 * @throws TypeError, RangeError
 */
export function kFold(length: number, options: { readonly folds?: number; readonly seed?: number } = {}): Fold[] {
  checkInteger(length, 'length', { min: 2 });
  checkOptions(options, 'options', ['folds', 'seed']);
  const folds = checkInteger(options.folds ?? 5, 'folds', { min: 2, max: length });
  const order = range(length);
  shuffle(order, new RandomStream(checkSeed(options.seed ?? 0), SPLIT_STREAM));
  return Array.from({ length: folds }, (_, fold) => ({
    train: order.filter((_, i) => i % folds !== fold).sort(),
    test: order.filter((_, i) => i % folds === fold).sort(),
  }));
}

// The last random stream: the first ones belong to the epochs of `Batches`.
const SPLIT_STREAM = 2 ** 32 - 1;

function partSizes(total: number, { validation = 0, test = 0 }: SplitSizes): { validation: number; test: number } {
  const sizes = { validation: partSize(total, validation, 'validation'), test: partSize(total, test, 'test') };
  if (sizes.validation + sizes.test > total) {
    throw wrongRange('validation + test', `at most ${total}`, sizes.validation + sizes.test);
  }
  return sizes;
}

/** @internal A share or a number as a number. */
export function partSize(total: number, size: number, name: string): number {
  checkNumber(size, name, { min: 0 });
  return size < 1 ? Math.round(size * total) : checkInteger(size, name, { max: total });
}

// A part of size zero was not asked for, training always is.
function emptyPart(split: Split, { validation = 0, test = 0 }: SplitSizes): string | undefined {
  if (split.train.length === 0) return 'training';
  if (split.validation.length === 0 && validation > 0) return 'validation';
  return split.test.length === 0 && test > 0 ? 'the test' : undefined;
}
