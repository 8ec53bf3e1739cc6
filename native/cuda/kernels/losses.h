#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Elementwise losses, each element's or factor * their sum; scratch of a sum: rowSumsScratch(1, count) doubles.
namespace cudnn_gru::kernels {

enum class RegressionLoss { kSquared, kAbsolute, kHuber };  // ops::Mse, Mae, Huber

struct RegressionElements {
  RegressionLoss loss;
  const float *x, *target;  // [count]
  int64_t count;
  float delta;  // of kHuber
};

struct BinaryElements {
  const float *logits, *target;          // [count]
  const float *weight, *positiveWeight;  // [columns], each may be null
  int64_t count, columns;
};

// What each gradient is multiplied by: factor * values[0], or factor * values[i] if the loss was not reduced.
struct LossGrad {
  const float* values;
  bool reduced;
  float factor;
};

cudaError_t regressionLosses(const RegressionElements& elements, float* losses, cudaStream_t stream);
cudaError_t regressionLossSum(const RegressionElements& elements, double factor, float* loss, double* scratch,
                              cudaStream_t stream);
cudaError_t regressionLossBackward(const RegressionElements& elements, const LossGrad& lossGrad, float* xGrad,
                                   cudaStream_t stream);

cudaError_t binaryCrossEntropies(const BinaryElements& elements, float* losses, cudaStream_t stream);
cudaError_t binaryCrossEntropySum(const BinaryElements& elements, double factor, float* loss, double* scratch,
                                  cudaStream_t stream);
cudaError_t binaryCrossEntropyBackward(const BinaryElements& elements, const LossGrad& lossGrad, float* logitsGrad,
                                       cudaStream_t stream);

}  // namespace cudnn_gru::kernels
