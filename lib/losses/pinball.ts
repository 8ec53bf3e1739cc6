import { checkOneOf, checkOptions } from '../arguments.js';
import { checkLevels } from '../metrics/forecasting.js';
import { add, mean, mul, relu, scale, sub, sum } from '../ops/index.js';
import { checkTensor, checkTensorShape, upload } from '../ops/result.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { LossOptions } from './regression.js';

export interface PinballOptions extends LossOptions {
  /** Levels of the quantiles, rising, each between 0 and 1. */
  levels: readonly number[];
}

/**
 * Pinball (quantile) loss of level q: max(q d, (q - 1) d) with d = target - x; the least is reached where x is the q-quantile of the target
 * (R. Koenker, G. Bassett, "Regression quantiles", 1978).
 *
 * @param x [..., levels]: a forecast of each quantile
 * @param target [...]
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function pinball(x: Tensor, target: Tensor, options: PinballOptions): Tensor {
  checkOptions(options, 'options', ['levels', 'reduction']);
  const levels = checkLevels(options.levels);
  const reduction = checkOneOf(options.reduction ?? 'mean', 'reduction', ['none', 'sum', 'mean']);
  checkTensor(x, 'x');
  checkTensor(target, 'target');
  checkTensorShape(x, 'x', [...target.shape, levels.length]);
  return scope(() => {
    const difference = sub(target.reshape(...target.shape, 1), x);
    const weighted = mul(difference, upload(Float32Array.from(levels), [levels.length], x.on));
    const loss = add(weighted, relu(scale(difference, -1)));
    return reduction === 'none' ? loss : reduction === 'sum' ? sum(loss) : mean(loss);
  });
}
