import { checkInteger, checkNumber, checkOptions, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import { checkTensor, checkTensorShape, commonDevice, result, resultLike } from '../ops/result.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import { checkReduction, type LossOptions } from './regression.js';

export interface CrossEntropyOptions extends LossOptions {
  /** Rows with this target count for nothing. Default: -100. */
  ignoreIndex?: number;
  /** How much of the target is spread evenly over all classes, from 0 to 1. Default: 0. */
  labelSmoothing?: number;
  /** Shape [classes]: how much each class counts. Default: all 1. */
  classWeights?: Tensor | null;
}

/**
 * Softmax cross-entropy, as torch.nn.CrossEntropyLoss, in one operation:
 *
 *     l_i = -(1 - s) w_t log p_t - s / C Σ_c w_c log p_c,  p = softmax(logits_i), t = target_i, s = labelSmoothing
 *
 * The mean divides by Σ w_t over the rows that are not ignored.
 *
 * @param logits [..., classes]
 * @param target int32 [...]; a class outside 0..classes-1 is CudnnGruError `ERR_INDEX_OUT_OF_RANGE` where the loss is read
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkOptions(options, 'options', ['reduction', 'ignoreIndex', 'labelSmoothing', 'classWeights']);
  checkTensor(logits, 'logits');
  const classes = logits.shape.at(-1);
  if (!classes || logits.size === 0)
    throw wrongRange('logits', 'a Tensor of shape [..., classes] with at least one row', logits);
  const outer = logits.shape.slice(0, -1);
  checkTensorShape(target, 'target', outer, 'int32');
  const weights = options.classWeights ?? null;
  if (weights) checkTensorShape(weights, 'classWeights', [classes]);
  const ignoreIndex = checkInteger(options.ignoreIndex ?? -100, 'ignoreIndex');
  const labelSmoothing = checkNumber(options.labelSmoothing ?? 0, 'labelSmoothing', { min: 0, max: 1 });
  const reduction = checkReduction(options);
  const device = commonDevice('crossEntropy', { logits, target, classWeights: weights });
  const rows = elementCount(outer);
  const settings = [rows, classes, reduction, ignoreIndex, labelSmoothing] as const;
  const loss = result(reduction === 0 ? outer : [], 'float32', device);
  const logSumExp = result([rows], 'float32', device);
  const totalWeight = result([1], 'float32', device);
  addon.crossEntropy(
    device.index,
    ...settings,
    logits.handle,
    target.handle,
    weights?.handle ?? 0,
    loss.handle,
    logSumExp.handle,
    totalWeight.handle,
  );
  record('crossEntropy', [logits], loss, [logits, target, weights, logSumExp, totalWeight], (grad, saved) => {
    const [savedLogits, savedTarget, savedWeights, savedLogSumExp, savedTotalWeight] = saved;
    const logitsGrad = resultLike(savedLogits);
    addon.crossEntropyBackward(
      device.index,
      ...settings,
      savedLogits.handle,
      savedTarget.handle,
      savedWeights?.handle ?? 0,
      savedLogSumExp.handle,
      savedTotalWeight.handle,
      grad.handle,
      logitsGrad.handle,
    );
    return [logitsGrad];
  });
  logSumExp.dispose();
  totalWeight.dispose();
  return loss;
}

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Shape [columns]: how much each column counts. Default: all 1. */
  weight?: Tensor | null;
  /** Shape [columns]: how much a positive target counts. Default: all 1. */
  positiveWeight?: Tensor | null;
}

/**
 * Binary cross-entropy from logits, as torch.nn.BCEWithLogitsLoss: l = -w (p y log σ(x) + (1 - y) log(1 - σ(x)))
 *
 * @param logits [..., columns]
 * @param target of the shape of logits, from 0 to 1
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function binaryCrossEntropy(logits: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  checkOptions(options, 'options', ['reduction', 'weight', 'positiveWeight']);
  checkTensor(logits, 'logits');
  checkTensorShape(target, 'target', logits.shape);
  if (logits.size === 0) throw wrongRange('logits', 'at least one element', logits);
  const columns = logits.shape.at(-1) ?? 1;
  const rows = logits.size / columns;
  const weight = options.weight ?? null;
  const positiveWeight = options.positiveWeight ?? null;
  if (weight) checkTensorShape(weight, 'weight', [columns]);
  if (positiveWeight) checkTensorShape(positiveWeight, 'positiveWeight', [columns]);
  const reduction = checkReduction(options);
  const device = commonDevice('binaryCrossEntropy', { logits, target, weight, positiveWeight });
  const loss = result(reduction === 0 ? logits.shape : [], 'float32', device);
  addon.binaryCrossEntropy(
    device.index,
    rows,
    columns,
    reduction,
    logits.handle,
    target.handle,
    weight?.handle ?? 0,
    positiveWeight?.handle ?? 0,
    loss.handle,
  );
  record('binaryCrossEntropy', [logits], loss, [logits, target, weight, positiveWeight], (grad, saved) => {
    const [savedLogits, savedTarget, savedWeight, savedPositiveWeight] = saved;
    const logitsGrad = resultLike(savedLogits);
    addon.binaryCrossEntropyBackward(
      device.index,
      rows,
      columns,
      reduction,
      savedLogits.handle,
      savedTarget.handle,
      savedWeight?.handle ?? 0,
      savedPositiveWeight?.handle ?? 0,
      grad.handle,
      logitsGrad.handle,
    );
    return [logitsGrad];
  });
  return loss;
}
