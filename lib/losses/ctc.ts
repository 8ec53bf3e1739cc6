import { checkBoolean, checkInteger, checkOptions, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import { checkTensor, commonDevice, result } from '../ops/result.js';
import { checkLengths, type Lengths, sequenceShape } from '../ops/sequences.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkReduction, type LossOptions } from './regression.js';

export interface CtcOptions extends LossOptions {
  /** Valid steps of each row of the logits, on the host. Default: all. */
  inputLengths?: Lengths;
  /** Labels of each row of the target, on the host. Default: all. */
  targetLengths?: Lengths;
  /** The class that stands for 'no label'. Default: 0. */
  blank?: number;
  /** Takes the loss of a target that cannot come of an input so short as 0, and its gradients too. Default: false, it is infinite. */
  zeroInfinity?: boolean;
  /** Logits are [time, batch, classes]. Default: false, [batch, time, classes]. */
  timeMajor?: boolean;
}

/**
 * Connectionist temporal classification (A. Graves et al., 2006), as torch.nn.CTCLoss, from logits: the negative log-probability of each
 * target, over all ways to spread its labels and blanks over the steps,
 *
 *     l_b = -log Σ_π Π_t softmax(logits[b, t])[π_t]
 *
 * The mean is of l_b / max(1, targetLengths[b]).
 *
 * @param logits [batch, time, classes], or time-major
 * @param target int32 [batch, labels], padded behind each row's length; a label that is no class, or the blank, is CudnnGruError
 * `ERR_INDEX_OUT_OF_RANGE` where the loss is read
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function ctc(logits: Tensor, target: Tensor, options: CtcOptions = {}): Tensor {
  const known = ['reduction', 'inputLengths', 'targetLengths', 'blank', 'zeroInfinity', 'timeMajor'];
  checkOptions(options, 'options', known);
  const { timeMajor = false } = options;
  const { batch, time, features: classes } = sequenceShape(logits, { timeMajor });
  checkTensor(target, 'target', 'int32', 2);
  const labels = target.shape[1] as number;
  if (target.shape[0] !== batch || labels === 0) {
    throw wrongRange('target', `a Tensor of shape [${batch}, labels] with room for at least one label`, target);
  }
  const inputLengths = lengthsOr(options.inputLengths, 'inputLengths', batch, time);
  const targetLengths = lengthsOr(options.targetLengths, 'targetLengths', batch, labels);
  const blank = checkInteger(options.blank ?? 0, 'blank', { min: 0, below: classes });
  const zeroInfinity = checkBoolean(options.zeroInfinity ?? false, 'zeroInfinity');
  const reduction = checkReduction(options);
  const device = commonDevice('ctc', { logits, target });
  const sizes = [batch, time, classes, labels, timeMajor, blank, reduction, zeroInfinity] as const;
  const settings = [...sizes, inputLengths, targetLengths] as const;
  const loss = result(reduction === 0 ? [batch] : [], 'float32', device);
  const logProbabilities = result([batch, time, classes], 'float32', device);
  const logAlpha = result([batch, time, 2 * labels + 1], 'float32', device);
  const rowLosses = result([batch], 'float32', device);
  addon.ctc(
    device.index,
    ...settings,
    logits.handle,
    target.handle,
    loss.handle,
    logProbabilities.handle,
    logAlpha.handle,
    rowLosses.handle,
  );
  const shape = logits.shape;
  record('ctc', [logits], loss, [target, logProbabilities, logAlpha, rowLosses], (grad, saved) => {
    const [savedTarget, savedProbabilities, savedAlpha, savedLosses] = saved;
    const logitsGrad = result(shape, 'float32', grad.on);
    addon.ctcBackward(
      device.index,
      ...settings,
      savedTarget.handle,
      savedProbabilities.handle,
      savedAlpha.handle,
      savedLosses.handle,
      grad.handle,
      logitsGrad.handle,
    );
    return [logitsGrad];
  });
  for (const tensor of [logProbabilities, logAlpha, rowLosses]) tensor.dispose();
  return loss;
}

function lengthsOr(lengths: Lengths | undefined, name: string, batch: number, all: number): Int32Array {
  return lengths === undefined ? new Int32Array(batch).fill(all) : checkLengths(lengths, name, batch, 0, all);
}
