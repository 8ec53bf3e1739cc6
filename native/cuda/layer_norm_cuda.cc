#include "cuda/cuda_device.h"
#include "cuda/kernels/layer_norm.h"
#include "cuda/kernels/reduce.h"
#include "cuda/kernels/sums.h"
#include "device/scratch.h"

namespace cudnn_gru {

void CudaDevice::layerNorm(const ops::LayerNorm& operation) {
  CUDNN_GRU_CUDA(kernels::layerNorm(operation.x.floats(), operation.weight.floatsOrNull(),
                                    operation.bias.floatsOrNull(), operation.y.floats(), operation.mean.floats(),
                                    operation.rstd.floats(), operation.rows, operation.columns, operation.epsilon,
                                    stream()));
}

void CudaDevice::layerNormBackward(const ops::LayerNormBackward& operation) {
  const int64_t rows = operation.rows, columns = operation.columns;
  const float *x = operation.x.floats(), *yGrad = operation.yGrad.floats();
  const float *mean = operation.mean.floats(), *rstd = operation.rstd.floats();
  const Doubles scratch(*this, kernels::columnSumsScratch(rows, columns));
  if (operation.weightGrad)
    CUDNN_GRU_CUDA(kernels::layerNormWeightGrad(x, mean, rstd, yGrad, operation.weightGrad.floats(), rows, columns,
                                                scratch.data(), stream()));
  if (operation.biasGrad)
    CUDNN_GRU_CUDA(kernels::sumOverRows(yGrad, operation.biasGrad.floats(), rows, columns, scratch.data(), stream()));
  if (operation.xGrad)
    CUDNN_GRU_CUDA(kernels::layerNormBackward(x, operation.weight.floatsOrNull(), mean, rstd, yGrad,
                                              operation.xGrad.floats(), rows, columns, stream()));
}

}  // namespace cudnn_gru
