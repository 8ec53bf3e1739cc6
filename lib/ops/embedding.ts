import { checkInteger } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor, commonDevice, result, resultLike } from './result.js';

/**
 * y[i...] = weight[ids[i...]]
 *
 * @param ids int32, any shape
 * @param weight [vocabularySize, embeddingSize]
 * @param paddingIndex a row that receives no gradient; default: none
 * @returns [...ids, embeddingSize]. An id outside the vocabulary is CudnnGruError `ERR_INDEX_OUT_OF_RANGE` where the result is read.
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function embedding(ids: Tensor, weight: Tensor, paddingIndex?: number): Tensor {
  checkTensor(ids, 'ids', 'int32');
  checkTensor(weight, 'weight', 'float32', 2);
  const [vocabularySize, embeddingSize] = weight.shape as [number, number];
  const padding =
    paddingIndex === undefined ? -1 : checkInteger(paddingIndex, 'paddingIndex', { min: 0, max: vocabularySize - 1 });
  const device = commonDevice('embedding', { ids, weight });
  const y = result([...ids.shape, embeddingSize], 'float32', device);
  addon.embedding(device.index, ids.size, vocabularySize, embeddingSize, ids.handle, weight.handle, y.handle);
  record(
    'embedding',
    [weight],
    y,
    [ids, weight],
    (grad, [savedIds, savedWeight]) => {
      const weightGrad = resultLike(savedWeight);
      addon.embeddingBackward(
        device.index,
        savedIds.size,
        vocabularySize,
        embeddingSize,
        padding,
        savedIds.handle,
        grad.handle,
        weightGrad.handle,
      );
      return [weightGrad];
    },
    { ids },
  );
  return y;
}
