import { wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import type { Addon } from '../native/addon.js';
import { addon } from '../native/load.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import { checkTensor, resultLike } from './result.js';

function rowWise(operation: 'softmax' | 'logSoftmax', x: Tensor): Tensor {
  checkTensor(x, 'x');
  const columns = x.shape.at(-1);
  if (!columns) throw wrongRange('x', 'a Tensor whose last axis has at least one element', x);
  const rows = elementCount(x.shape.slice(0, -1));
  const y = resultLike(x);
  const run: Addon['softmax'] = addon[operation];
  run(x.on.index, rows, columns, x.handle, y.handle);
  record(operation, [x], y, [y], (grad, [saved]) => {
    const xGrad = resultLike(saved);
    const runBackward: Addon['softmaxBackward'] = addon[`${operation}Backward`];
    runBackward(saved.on.index, rows, columns, saved.handle, grad.handle, xGrad.handle);
    return [xGrad];
  });
  return y;
}

/** exp(x_c) / Σ exp(x) over the last axis. @throws TypeError, RangeError */
export function softmax(x: Tensor): Tensor {
  return rowWise('softmax', x);
}

/** x_c - log Σ exp(x) over the last axis. @throws TypeError, RangeError */
export function logSoftmax(x: Tensor): Tensor {
  return rowWise('logSoftmax', x);
}
