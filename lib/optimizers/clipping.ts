import { checkNumber } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { addon } from '../native/load.js';
import { clone } from '../ops/arithmetic.js';
import { fill, handlesOf, result, upload } from '../ops/result.js';
import { keepFromScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkIterable } from './optimizer.js';

// The gradients, to be changed in place. One that shares its memory (the operands of a sum get the same gradient) gets its own first.
function gradientsOf(parameters: Iterable<Tensor>): Tensor[] {
  checkIterable(parameters, 'parameters');
  const gradients: Tensor[] = [];
  for (const parameter of parameters) {
    if (!parameter.grad) continue;
    if (parameter.grad.storage.references > 1) {
      const shared = parameter.grad;
      parameter.grad = keepFromScope(clone(shared));
      shared.dispose();
    }
    gradients.push(parameter.grad);
  }
  if (gradients.length === 0)
    throw new CudnnGruError('ERR_NO_GRADIENT', 'no parameter has a gradient; call backward() first');
  return gradients;
}

/**
 * Scales all gradients together, in place, so that their global 2-norm is at most `maxNorm`: g *= min(1, maxNorm / (norm + 1e-6)), as
 * torch.nn.utils.clip_grad_norm_.
 *
 * @returns the norm before, a tensor of one number (reading it waits for the device)
 * @throws RangeError; CudnnGruError `ERR_NO_GRADIENT`
 */
export function clipGradientNorm(parameters: Iterable<Tensor>, maxNorm: number): Tensor {
  checkNumber(maxNorm, 'maxNorm', { above: 0 });
  const gradients = gradientsOf(parameters);
  const device = (gradients[0] as Tensor).on;
  const norm = fill([2], 0, device);
  const counts = upload(Int32Array.of(0, 0, -1, 0), [4], device);
  addon.gradientNorm(device.index, maxNorm, handlesOf(gradients), norm.handle, counts.handle);
  addon.clipGradients(device.index, 0, norm.handle, handlesOf(gradients));
  const total = result([], 'float32', device);
  addon.slice(device.index, 1, 2, 1, 0, 1, norm.handle, total.handle);
  norm.dispose();
  counts.dispose();
  return total;
}

/** Limits every element of every gradient to [-maxValue, maxValue], in place. @throws RangeError; CudnnGruError `ERR_NO_GRADIENT` */
export function clipGradientValue(parameters: Iterable<Tensor>, maxValue: number): void {
  checkNumber(maxValue, 'maxValue', { above: 0 });
  const gradients = gradientsOf(parameters);
  addon.clipGradients((gradients[0] as Tensor).on.index, maxValue, 0, handlesOf(gradients));
}
