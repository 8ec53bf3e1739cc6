#include "cuda/cuda_device.h"
#include "cuda/kernels/embedding.h"

namespace cudnn_gru {

void CudaDevice::embedding(const ops::Embedding& operation) {
  CUDNN_GRU_CUDA(kernels::embedding(operation.ids.ints(), operation.weight.floats(), operation.y.floats(),
                                    operation.count, operation.vocabularySize, operation.embeddingSize, indexFault(),
                                    stream()));
}

void CudaDevice::embeddingBackward(const ops::EmbeddingBackward& operation) {
  CUDNN_GRU_CUDA(kernels::embeddingBackward(
      operation.ids.ints(), operation.yGrad.floats(), operation.weightGrad.floats(), operation.count,
      operation.vocabularySize, operation.embeddingSize, int64_t(operation.paddingIndex), indexFault(), stream()));
}

}  // namespace cudnn_gru
