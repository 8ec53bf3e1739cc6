import { checkNumber, checkOneOf, checkOptions } from '../arguments.js';
import { record } from '../autograd/tape.js';
import type { Addon } from '../native/addon.js';
import { addon } from '../native/load.js';
import { scale } from '../ops/arithmetic.js';
import { checkTensor, checkTensorShape, commonDevice, result, resultLike } from '../ops/result.js';
import type { Tensor } from '../tensor/tensor.js';

/** What becomes of the elements' losses: their mean, their sum, or a tensor of them all. */
export type Reduction = 'none' | 'sum' | 'mean';

export interface LossOptions {
  /** Default: 'mean'. */
  reduction?: Reduction;
}

export interface HuberOptions extends LossOptions {
  /** Where the loss turns from quadratic to linear. Default: 1. */
  delta?: number;
}

const reductions = ['none', 'sum', 'mean'] as const;

/** @internal The reduction as the native operations number it. */
export function checkReduction(options: LossOptions): number {
  return reductions.indexOf(checkOneOf(options.reduction ?? 'mean', 'reduction', reductions));
}

function regression(
  operation: 'mse' | 'mae' | 'huber',
  x: Tensor,
  target: Tensor,
  options: LossOptions,
  delta: number,
): Tensor {
  checkOptions(options, 'options', operation === 'huber' ? ['reduction', 'delta'] : ['reduction']);
  checkTensor(x, 'x');
  checkTensorShape(target, 'target', x.shape);
  const reduction = checkReduction(options);
  const device = commonDevice(operation, { x, target });
  const loss = result(reduction === 0 ? x.shape : [], 'float32', device);
  const run: Addon['mse'] = addon[operation];
  run(device.index, x.size, reduction, delta, x.handle, target.handle, loss.handle);
  record(operation, [x, target], loss, [x, target], (grad, [savedX, savedTarget]) => {
    const xGrad = resultLike(savedX);
    const runBackward: Addon['mseBackward'] = addon[`${operation}Backward`];
    runBackward(
      device.index,
      savedX.size,
      reduction,
      delta,
      savedX.handle,
      savedTarget.handle,
      grad.handle,
      xGrad.handle,
    );
    return [xGrad, target.requiresGrad ? scale(xGrad, -1) : null];
  });
  return loss;
}

/**
 * Mean squared error: (x - target)²
 * @param target of the shape of x
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function mse(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  return regression('mse', x, target, options, 0);
}

/** Mean absolute error: |x - target|. @throws as `mse` */
export function mae(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  return regression('mae', x, target, options, 0);
}

/** Huber loss: d² / 2 for |d| <= delta, else delta (|d| - delta / 2), with d = x - target (Huber 1964). @throws as `mse` */
export function huber(x: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  return regression('huber', x, target, options, checkNumber(options?.delta ?? 1, 'delta', { above: 0 }));
}
