import { checkNumber, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import { checkTensor, checkTensorShape, commonDevice, result, resultLike } from './result.js';

/**
 * y = (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis, the variance biased (Ba et al. 2016)
 *
 * @param x [..., features]
 * @param weight [features], optional
 * @param bias [features], optional
 * @param epsilon default: 1e-5
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function layerNorm(x: Tensor, weight: Tensor | null = null, bias: Tensor | null = null, epsilon = 1e-5): Tensor {
  checkTensor(x, 'x');
  const columns = x.shape.at(-1);
  if (!columns) throw wrongRange('x', 'a Tensor whose last axis has at least one element', x);
  if (weight) checkTensorShape(weight, 'weight', [columns]);
  if (bias) checkTensorShape(bias, 'bias', [columns]);
  checkNumber(epsilon, 'epsilon', { above: 0 });
  const device = commonDevice('layerNorm', { x, weight, bias });
  const rows = elementCount(x.shape.slice(0, -1));
  const y = resultLike(x);
  const mean = result([rows], 'float32', device);
  const rstd = result([rows], 'float32', device);
  addon.layerNorm(
    device.index,
    rows,
    columns,
    epsilon,
    x.handle,
    weight?.handle ?? 0,
    bias?.handle ?? 0,
    y.handle,
    mean.handle,
    rstd.handle,
  );
  record(
    'layerNorm',
    [x, weight, bias],
    y,
    [x, weight, mean, rstd],
    (grad, [savedX, savedWeight, savedMean, savedRstd]) => {
      const xGrad = x.requiresGrad ? resultLike(savedX) : null;
      const weightGrad = weight?.requiresGrad ? result([columns], 'float32', device) : null;
      const biasGrad = bias?.requiresGrad ? result([columns], 'float32', device) : null;
      addon.layerNormBackward(
        device.index,
        rows,
        columns,
        savedX.handle,
        savedWeight?.handle ?? 0,
        savedMean.handle,
        savedRstd.handle,
        grad.handle,
        xGrad?.handle ?? 0,
        weightGrad?.handle ?? 0,
        biasGrad?.handle ?? 0,
      );
      return [xGrad, weightGrad, biasGrad];
    },
    { epsilon },
  );
  mean.dispose();
  rstd.dispose();
  return y;
}
