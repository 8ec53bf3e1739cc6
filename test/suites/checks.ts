import { expect } from 'vitest';
import type { ComputePrecision } from '../../lib/index.js';
import { Array64, item } from '../reference/array64.js';
import { uniform } from '../reference/philox.js';

/** How far a result may lie from the float64 reference: |actual - expected| <= absolute + relative · |expected|. */
export interface Tolerance {
  relative: number;
  absolute: number;
}

/**
 * What each precision is held to. An elementwise operation is judged by each value alone. A result that sums products is
 * judged by the largest value of its array, for cancellation leaves an error of that size in the small ones.
 */
export const TOLERANCES = {
  float32: {
    elementwise: { relative: 2e-6, absolute: 1e-7 },
    accumulated: { relative: 1e-5, absolute: 1e-6 },
    // Sums of large terms under a steep function: what was rounded in the sum is seen in full after it.
    amplified: { relative: 1e-4, absolute: 1e-5 },
  },
  // Numbers of 10, 10 and 7 bits of mantissa, through several products one after the other.
  tf32: { accumulated: { relative: 3e-3, absolute: 0 } },
  float16: { accumulated: { relative: 1.2e-2, absolute: 0 } },
  bfloat16: { accumulated: { relative: 9e-2, absolute: 0 } },
} as const satisfies Record<ComputePrecision, Record<string, Tolerance>>;

export type ResultKind = keyof (typeof TOLERANCES)['float32'];

export function toleranceFor(kind: ResultKind, expected: ArrayLike<number>): Tolerance {
  return scaled(kind, TOLERANCES.float32[kind], expected);
}

/** Of sums of products that were computed in this precision. */
export function toleranceIn(precision: ComputePrecision, expected: ArrayLike<number>): Tolerance {
  return scaled('accumulated', TOLERANCES[precision].accumulated, expected);
}

function scaled(kind: ResultKind, { relative, absolute }: Tolerance, expected: ArrayLike<number>): Tolerance {
  if (kind === 'elementwise') return { relative, absolute };
  const finite = Array.from(expected).filter(Number.isFinite).map(Math.abs);
  const largest = finite.reduce((most, value) => Math.max(most, value), 0);
  return { relative: 0, absolute: absolute + relative * largest };
}

/** NaN agrees with NaN alone, and an infinity with the same infinity. */
function excess(actual: number, expected: number, { relative, absolute }: Tolerance): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Number.POSITIVE_INFINITY;
  return Math.abs(actual - expected) - (absolute + relative * Math.abs(expected));
}

/** Fails with the first value that is too far, how many are, and the largest error. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  label: string,
): void {
  expect(actual.length, `${label}: number of values`).toBe(expected.length);
  const errors = Array.from(expected, (value, i) => excess(item(actual, i), value, tolerance));
  const bad = errors.filter((error) => error > 0).length;
  if (bad === 0) return;
  const first = errors.findIndex((error) => error > 0);
  const worst = errors.reduce((best, error, i) => (error > item(errors, best) ? i : best), first);
  const at = (i: number) => `[${i}] is ${item(actual, i)}, expected ${item(expected, i)}`;
  expect.fail(
    `${label}: ${bad} of ${errors.length} values differ (relative ${tolerance.relative}, absolute ` +
      `${tolerance.absolute.toExponential(1)}); first ${at(first)}; worst ${at(worst)}`,
  );
}

/** As `expectClose`, with the tolerance of the result's kind. */
export function expectNear(actual: ArrayLike<number>, expected: Array64, kind: ResultKind, label: string): void {
  expectClose(actual, expected.data, toleranceFor(kind, expected.data), label);
}

/** The same bits: also tells 0 from -0. */
export function expectSameBits(actual: ArrayLike<number>, expected: ArrayLike<number>, label: string): void {
  expect(actual.length, `${label}: number of values`).toBe(expected.length);
  const different = Array.from(expected, (value, i) => (Object.is(item(actual, i), value) ? -1 : i)).filter(
    (i) => i >= 0,
  );
  const first = different[0];
  if (first === undefined) return;
  expect.fail(
    `${label}: ${different.length} of ${expected.length} values have other bits; first ` +
      `[${first}] is ${item(actual, first)}, expected ${item(expected, first)}`,
  );
}

/** Values in [low, high) that float32 holds exactly, so that the device and the reference start from the same ones. */
export function random32(seed: number, shape: readonly number[], low = -1, high = 1): Array64 {
  const count = shape.reduce((product, size) => product * size, 1);
  return new Array64(shape, Float32Array.from(uniform({ seed, offset: 0 }, count, low, high)));
}

/** Whole numbers in [0, limit). */
export function randomIntegers(seed: number, count: number, limit: number): number[] {
  return uniform({ seed, offset: 0 }, count).map((value) => Math.floor(value * limit));
}

/** The sizes around the widths of vectors, tiles and panels at which kernels go wrong. */
export const ODD_SIZES = [17, 19, 31, 33, 65, 79, 129, 257];
