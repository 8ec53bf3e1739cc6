import { checkNumber, wrongKind } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import { defaultGenerator, Generator } from '../tensor/generator.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor, resultLike } from './result.js';

/**
 * Each element becomes 0 with this probability, the others are divided by 1 - probability (Srivastava et al. 2014). The mask is drawn
 * from a counter-based generator, so it is the same on every backend and is not stored for the gradient.
 *
 * @param probability from 0 to below 1
 * @param generator default: the one that `setSeed` seeds
 * @throws TypeError, RangeError
 */
export function dropout(x: Tensor, probability: number, generator: Generator = defaultGenerator): Tensor {
  checkTensor(x, 'x');
  checkNumber(probability, 'probability', { min: 0, below: 1 });
  if (!(generator instanceof Generator)) throw wrongKind('generator', 'a Generator', generator);
  const { seed, offset } = generator.take(x.size);
  const y = resultLike(x);
  addon.dropout(x.on.index, x.size, probability, seed, offset, x.handle, y.handle);
  record(
    'dropout',
    [x],
    y,
    [],
    (grad) => {
      const xGrad = resultLike(grad);
      addon.dropout(grad.on.index, grad.size, probability, seed, offset, grad.handle, xGrad.handle);
      return [xGrad];
    },
    { probability },
  );
  return y;
}
