import { wrongRange } from '../arguments.js';
import { addon } from '../native/load.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor, result } from './result.js';

/**
 * The position of the largest element along the last axis, int32: the first of equal ones, or of the first NaN. Has no gradient.
 *
 * @param x [..., columns]
 * @returns [...]
 * @throws TypeError, RangeError
 */
export function argmax(x: Tensor): Tensor {
  checkTensor(x, 'x');
  const columns = x.shape.at(-1);
  if (!columns || x.size === 0) throw wrongRange('x', 'a Tensor with at least one element and axis', x);
  const outer = x.shape.slice(0, -1);
  const rows = x.size / columns;
  const positions = result(outer, 'int32', x.on);
  const largest = result([rows], 'float32', x.on);
  // A row's elements are the steps of a sequence of one feature.
  const all = new Int32Array(rows).fill(columns);
  addon.maskedMax(x.on.index, rows, columns, 1, false, all, x.handle, largest.handle, positions.handle);
  largest.dispose();
  return positions;
}
