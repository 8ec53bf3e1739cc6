#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

namespace cudnn_gru {

// The sum of the losses of `count` elements, which are kept in `loss` unless it is null.
using RegressionLossKernel = double (*)(const float* x, const float* target, float delta, int64_t count, float* loss);
// xGrad[i] = factor * lossGrad[i * step] * dloss/dx
using RegressionLossBackwardKernel = void (*)(const float* x, const float* target, float delta, const float* lossGrad,
                                              int64_t step, float factor, int64_t count, float* xGrad);

struct LossesKernels {
  RegressionLossKernel mse, mae, huber;
  RegressionLossBackwardKernel mseBackward, maeBackward, huberBackward;
  // Element i has weight[i] and positiveWeight[i]; null: 1.
  double (*binaryCrossEntropy)(const float* logits, const float* target, const float* weight,
                               const float* positiveWeight, int64_t count, float* loss);
  void (*binaryCrossEntropyBackward)(const float* logits, const float* target, const float* weight,
                                     const float* positiveWeight, const float* lossGrad, int64_t step, float factor,
                                     int64_t count, float* logitsGrad);
};
CUDNN_GRU_KERNEL_TABLE(LossesKernels, lossesTable, lossesKernels)

}  // namespace cudnn_gru
