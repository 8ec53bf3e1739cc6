import { checkBoolean, checkOptions, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import { currentPrecision, gradientPrecision, precisionOn, withPrecision } from '../tensor/precision.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import { checkTensor, checkTensorShape, commonDevice, result, resultLike } from './result.js';

/**
 * y = x Wᵀ + b
 *
 * @param x [..., inputSize]
 * @param weight [outputSize, inputSize]
 * @param bias [outputSize], optional
 * Computes in the precision of `withPrecision`.
 * @returns [..., outputSize]
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  checkTensor(x, 'x');
  checkTensor(weight, 'weight', 'float32', 2);
  const [outputSize, inputSize] = weight.shape as [number, number];
  if (x.rank === 0 || x.shape.at(-1) !== inputSize) throw wrongRange('x', `a Tensor of shape [..., ${inputSize}]`, x);
  if (bias) checkTensorShape(bias, 'bias', [outputSize]);
  const device = commonDevice('linear', { x, weight, bias });
  const precision = currentPrecision();
  const rows = elementCount(x.shape.slice(0, -1));
  const y = result([...x.shape.slice(0, -1), outputSize], 'float32', device);
  addon.linear(
    device.index,
    rows,
    inputSize,
    outputSize,
    precisionOn(device, 'linear', precision),
    x.handle,
    weight.handle,
    bias?.handle ?? 0,
    y.handle,
  );
  record('linear', [x, weight, bias], y, [x, weight], (grad, [savedX, savedWeight]) => {
    const xGrad = x.requiresGrad ? resultLike(savedX) : null;
    const weightGrad = weight.requiresGrad ? resultLike(savedWeight) : null;
    const biasGrad = bias?.requiresGrad ? result([outputSize], 'float32', device) : null;
    addon.linearBackward(
      device.index,
      rows,
      inputSize,
      outputSize,
      precisionOn(device, 'linear', gradientPrecision(precision)),
      savedX.handle,
      savedWeight.handle,
      grad.handle,
      xGrad?.handle ?? 0,
      weightGrad?.handle ?? 0,
      biasGrad?.handle ?? 0,
    );
    return [xGrad, weightGrad, biasGrad];
  });
  return y;
}

export interface MatmulOptions {
  /** Use aᵀ (of the last two axes). Default: false. */
  transposeA?: boolean;
  /** Use bᵀ. Default: false. */
  transposeB?: boolean;
}

/**
 * Matrix product over the last two axes. Leading axes of both must be equal, or `b` is one matrix for all of `a`.
 *
 * @param a [..., m, k] ([..., k, m] with transposeA)
 * @param b [..., k, n] ([..., n, k] with transposeB)
 * Computes in the precision of `withPrecision`.
 * @returns [..., m, n]
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkOptions(options, 'options', ['transposeA', 'transposeB']);
  checkTensor(a, 'a');
  checkTensor(b, 'b');
  const transposeA = checkBoolean(options.transposeA ?? false, 'transposeA');
  const transposeB = checkBoolean(options.transposeB ?? false, 'transposeB');
  if (a.rank < 2) throw wrongRange('a', 'a Tensor of rank 2 or more', a);
  if (b.rank < 2) throw wrongRange('b', 'a Tensor of rank 2 or more', b);
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [kOfB, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== kOfB) throw wrongRange('b', `a Tensor whose inner size is ${k}, as that of a`, b);
  const leading = a.shape.slice(0, -2);
  if (b.rank === 2 && a.rank > 2 && !transposeA) {
    return matmul(a.reshape([elementCount(leading) * m, k]), b, { transposeB }).reshape([...leading, m, n]);
  }
  if (String(leading) !== String(b.shape.slice(0, -2))) {
    throw wrongRange('b', `a Tensor whose leading axes are [${leading.join(', ')}], as those of a`, b);
  }
  const device = commonDevice('matmul', { a, b });
  const c = result([...leading, m, n], 'float32', device);
  const precision = currentPrecision();
  addon.matmul(
    device.index,
    elementCount(leading),
    m,
    n,
    k,
    transposeA,
    transposeB,
    precisionOn(device, 'matmul'),
    a.handle,
    b.handle,
    c.handle,
  );
  record(
    'matmul',
    [a, b],
    c,
    [a, b],
    (grad, [savedA, savedB]) =>
      withPrecision(gradientPrecision(precision), () => {
        // With C = A B: dA = dC Bᵀ, dB = Aᵀ dC; a transposed operand takes the transposed gradient.
        const aGrad = !a.requiresGrad
          ? null
          : transposeA
            ? matmul(savedB, grad, { transposeA: transposeB, transposeB: true })
            : matmul(grad, savedB, { transposeB: !transposeB });
        const bGrad = !b.requiresGrad
          ? null
          : transposeB
            ? matmul(grad, savedA, { transposeA: true, transposeB: transposeA })
            : matmul(savedA, grad, { transposeA: !transposeA });
        return [aGrad, bGrad];
      }),
    { transposeA, transposeB },
  );
  return c;
}
