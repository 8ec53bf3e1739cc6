import { checkNumber, wrongKind, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import type { Addon } from '../native/addon.js';
import { addon } from '../native/load.js';
import { Tensor } from '../tensor/tensor.js';
import { broadcast } from './broadcast.js';
import { sumTo } from './reduce.js';
import { checkTensor, commonDevice, result, resultLike, sameShape } from './result.js';

function binary(operation: 'add' | 'sub' | 'mul' | 'div', a: Tensor, b: Tensor): Tensor {
  checkTensor(a, 'a');
  checkTensor(b, 'b');
  const device = commonDevice(operation, { a, b });
  const { shape, dims, aStrides, bStrides } = broadcast(operation, a.shape, b.shape);
  const out = result(shape, 'float32', device);
  const run: Addon['add'] = addon[operation];
  run(device.index, dims.length, dims, aStrides, bStrides, a.size, b.size, out.size, a.handle, b.handle, out.handle);
  return out;
}

function isNumber(value: Tensor | number, name: string): value is number {
  if (typeof value === 'number') {
    checkNumber(value, name);
    return true;
  }
  if (!(value instanceof Tensor)) throw wrongKind(name, 'a Tensor or a number', value);
  return false;
}

/** @internal The gradient of an operand that may have been broadcast: summed over what was repeated. */
function fold(grad: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(grad.shape, shape)) return grad;
  const folded = sumTo(grad, shape);
  grad.dispose();
  return folded;
}

/**
 * a + b, elementwise; shapes broadcast as in NumPy; `b` may be a number.
 * @throws TypeError, RangeError for shapes that do not broadcast; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function add(a: Tensor, b: Tensor | number): Tensor {
  if (isNumber(b, 'b')) return scale(a, 1, b);
  const out = binary('add', a, b);
  record('add', [a, b], out, [], (grad) => [
    a.requiresGrad ? fold(grad.detach(), a.shape) : null,
    b.requiresGrad ? fold(grad.detach(), b.shape) : null,
  ]);
  return out;
}

/** a - b, elementwise, with broadcasting. @throws as `add` */
export function sub(a: Tensor, b: Tensor | number): Tensor {
  if (isNumber(b, 'b')) return scale(a, 1, -b);
  const out = binary('sub', a, b);
  record('sub', [a, b], out, [], (grad) => [
    a.requiresGrad ? fold(grad.detach(), a.shape) : null,
    b.requiresGrad ? fold(scale(grad, -1), b.shape) : null,
  ]);
  return out;
}

/** a * b, elementwise, with broadcasting. @throws as `add` */
export function mul(a: Tensor, b: Tensor | number): Tensor {
  if (isNumber(b, 'b')) return scale(a, b);
  const out = binary('mul', a, b);
  record('mul', [a, b], out, [a, b], (grad, [savedA, savedB]) => [
    a.requiresGrad ? fold(binary('mul', grad, savedB), a.shape) : null,
    b.requiresGrad ? fold(binary('mul', grad, savedA), b.shape) : null,
  ]);
  return out;
}

/** a / b, elementwise, with broadcasting. @throws as `add` */
export function div(a: Tensor, b: Tensor | number): Tensor {
  if (isNumber(b, 'b')) {
    if (!Number.isFinite(1 / b)) throw wrongRange('b', 'a number whose reciprocal is finite', b);
    return scale(a, 1 / b);
  }
  const out = binary('div', a, b);
  record('div', [a, b], out, [out, b], (grad, [quotient, divisor]) => {
    const aGrad = binary('div', grad, divisor);
    let bGrad: Tensor | null = null;
    if (b.requiresGrad) {
      const product = binary('mul', aGrad, quotient);
      bGrad = fold(scale(product, -1), b.shape);
      product.dispose();
    }
    return [fold(aGrad, a.shape), bGrad];
  });
  return out;
}

/** factor * x + offset. @throws TypeError, RangeError for numbers that are not finite */
export function scale(x: Tensor, factor: number, offset = 0): Tensor {
  checkTensor(x, 'x');
  checkNumber(factor, 'factor');
  checkNumber(offset, 'offset');
  const out = resultLike(x);
  addon.scale(x.on.index, x.size, factor, offset, x.handle, out.handle);
  record('scale', [x], out, [], (grad) => [scale(grad, factor)], { factor, offset });
  return out;
}

function unary(operation: 'tanh' | 'sigmoid' | 'relu', x: Tensor): Tensor {
  checkTensor(x, 'x');
  const out = resultLike(x);
  const run: Addon['tanh'] = addon[operation];
  run(x.on.index, x.size, x.handle, out.handle);
  record(operation, [x], out, [out], (grad, [y]) => {
    const xGrad = resultLike(y);
    const runBackward: Addon['tanhBackward'] = addon[`${operation}Backward`];
    runBackward(y.on.index, y.size, y.handle, grad.handle, xGrad.handle);
    return [xGrad];
  });
  return out;
}

/** tanh(x) */
export function tanh(x: Tensor): Tensor {
  return unary('tanh', x);
}

/** σ(x) = 1 / (1 + exp(-x)) */
export function sigmoid(x: Tensor): Tensor {
  return unary('sigmoid', x);
}

/** max(x, 0); NaN stays NaN */
export function relu(x: Tensor): Tensor {
  return unary('relu', x);
}

/** A copy in memory of its own. Gradients pass through; `x.detach()` first if they should not. */
export function clone(x: Tensor): Tensor {
  checkTensor(x, 'x', 'any');
  const out = resultLike(x);
  addon.slice(x.on.index, 1, x.size, 1, 0, x.size, x.handle, out.handle);
  record('clone', [x], out, [], (grad) => [grad.detach()]);
  return out;
}

/** x as it is, in another shape of the same size; shares the memory. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  checkTensor(x, 'x', 'any');
  const out = new Tensor(x.storage.retain(), shape, x.dtype, x.on);
  const from = x.shape;
  record('reshape', [x], out, [], (grad) => [new Tensor(grad.storage.retain(), from, grad.dtype, grad.on)]);
  return out;
}
