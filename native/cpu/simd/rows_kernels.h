#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

namespace cudnn_gru {

// One row of `columns` elements. `weight`, `bias` and `classWeights` may be null.
using RowKernel = void (*)(const float* x, int64_t columns, float* y);
using RowBackwardKernel = void (*)(const float* y, const float* yGrad, int64_t columns, float* xGrad);

struct RowsKernels {
  RowKernel softmax, logSoftmax;
  RowBackwardKernel softmaxBackward, logSoftmaxBackward;

  void (*layerNorm)(const float* x, const float* weight, const float* bias, double epsilon, int64_t columns, float* y,
                    float* mean, float* rstd);
  void (*layerNormBackward)(const float* x, const float* weight, float mean, float rstd, const float* yGrad,
                            int64_t columns, float* xGrad);
  // sums[c] += the sum of yGrad (x - mean) rstd over `rows` rows, `stride` elements apart
  void (*layerNormWeight)(const float* x, const float* mean, const float* rstd, const float* yGrad, int64_t rows,
                          int64_t stride, int64_t columns, double* sums);

  // The loss of a row, as ops::CrossEntropy; also log(sum of exp(logits)).
  double (*crossEntropy)(const float* logits, int64_t classes, int32_t target, const float* classWeights,
                         double labelSmoothing, float* logSumExp);
  // `weightSum` is the sum of the class weights, `lossGrad` that of the row's loss.
  void (*crossEntropyBackward)(const float* logits, int64_t classes, int32_t target, const float* classWeights,
                               double weightSum, double labelSmoothing, float logSumExp, double lossGrad,
                               float* logitsGrad);
};
CUDNN_GRU_KERNEL_TABLE(RowsKernels, rowsTable, rowsKernels)

}  // namespace cudnn_gru
