import { wrongKind, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import { reduction } from './broadcast.js';
import { checkAxis, checkTensor, result } from './result.js';

function checkAxes(axes: number | readonly number[] | undefined, rank: number): Set<number> {
  if (axes === undefined) return new Set(Array.from({ length: rank }, (_, axis) => axis));
  const list = typeof axes === 'number' ? [axes] : axes;
  if (!Array.isArray(list)) throw wrongKind('axes', 'an axis or an array of axes', axes);
  const set = new Set((list as readonly number[]).map((axis) => checkAxis(axis, 'axes', rank)));
  if (set.size !== list.length) throw wrongRange('axes', 'each axis once', list);
  return set;
}

function reduce(x: Tensor, reduced: ReadonlySet<number>, factor: number, shape: readonly number[]): Tensor {
  const { dims, strides, count } = reduction(x.shape, reduced);
  const out = result(shape, 'float32', x.on);
  addon.sum(x.on.index, dims.length, dims, strides, x.size, count, factor, x.handle, out.handle);
  const from = x.shape;
  record(
    'sum',
    [x],
    out,
    [],
    (grad) => {
      const xGrad = result(from, 'float32', grad.on);
      addon.expand(grad.on.index, dims.length, dims, strides, count, xGrad.size, factor, grad.handle, xGrad.handle);
      return [xGrad];
    },
    { axes: [...reduced], factor },
  );
  return out;
}

/**
 * Sum over `axes` (default: all; negative counts from the end), which vanish from the shape.
 * @throws TypeError, RangeError
 */
export function sum(x: Tensor, axes?: number | readonly number[]): Tensor {
  checkTensor(x, 'x');
  const reduced = checkAxes(axes, x.rank);
  return reduce(
    x,
    reduced,
    1,
    x.shape.filter((_, axis) => !reduced.has(axis)),
  );
}

/** Mean over `axes` (default: all), which vanish from the shape. @throws TypeError, RangeError; RangeError for no elements */
export function mean(x: Tensor, axes?: number | readonly number[]): Tensor {
  checkTensor(x, 'x');
  const reduced = checkAxes(axes, x.rank);
  const count = elementCount([...reduced].map((axis) => x.shape[axis] as number));
  if (count === 0) throw wrongRange('x', 'at least one element along the axes', x);
  return reduce(
    x,
    reduced,
    1 / count,
    x.shape.filter((_, axis) => !reduced.has(axis)),
  );
}

/** @internal Sums away what broadcasting from `shape` to the shape of `x` had repeated. */
export function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const missing = x.rank - shape.length;
  const reduced = new Set(
    x.shape.flatMap((dimension, axis) =>
      axis < missing || (shape[axis - missing] === 1 && dimension !== 1) ? [axis] : [],
    ),
  );
  return reduce(x, reduced, 1, shape);
}
