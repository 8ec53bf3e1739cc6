import { Array64, item } from './array64.js';
import { uniform } from './philox.js';

/** Values in [low, high) that depend on the seed alone. */
export function randomArray(seed: number, shape: readonly number[], low = -1, high = 1): Array64 {
  const count = shape.reduce((product, size) => product * size, 1);
  return new Array64(shape, uniform({ seed, offset: 0 }, count, low, high));
}

/**
 * The gradient of Σ outGrad · f(inputs) with respect to each input, by central differences: (f(x + h) - f(x - h)) / 2h has an
 * error of order h² from the formula and 1e-16 / h from rounding, both about 1e-10 at h = 1e-5.
 */
export function numericalGradients(
  f: (inputs: readonly Array64[]) => Array64,
  inputs: readonly Array64[],
  outGrad: Array64,
  step = 1e-5,
): Array64[] {
  const objective = (varied: readonly Array64[]) =>
    f(varied).data.reduce((sum, value, i) => sum + value * item(outGrad.data, i), 0);
  return inputs.map((input, position) =>
    input.map((value, i) => {
      const at = (moved: number) => {
        const copy = input.copy();
        copy.data[i] = moved;
        return objective(inputs.map((other, p) => (p === position ? copy : other)));
      };
      return (at(value + step) - at(value - step)) / (2 * step);
    }),
  );
}

/** The largest difference of two arrays, relative to the largest value of the expected one (or to 1 where that is less). */
export function relativeError(actual: Array64, expected: Array64): number {
  if (actual.count !== expected.count) {
    throw new RangeError(`[${actual.shape.join(', ')}] against [${expected.shape.join(', ')}]`);
  }
  const scale = Math.max(1, ...expected.data.map(Math.abs));
  const errors = actual.data.map((value, i) => Math.abs(value - item(expected.data, i)));
  return Math.max(0, ...errors) / scale;
}
