#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

#include "cuda/kernels/index_fault.h"

// Softmax cross-entropy as ops::CrossEntropy and ops::CrossEntropyBackward define it. A target that is neither a class
// nor ignored is reported; its loss and its gradients are NaN.
namespace cudnn_gru::kernels {

struct CrossEntropyRows {
  const float* logits;        // [rows, classes]
  const int32_t* target;      // [rows]
  const float* classWeights;  // [classes] or null
  int64_t rows, classes;
  double ignoreIndex, labelSmoothing;
  IndexFault* fault;
};

// How many doubles `scratch` must hold.
int64_t crossEntropyScratch(int64_t rows, int64_t classes);

// loss is [rows] if it is not reduced, else [1]: the sum, or the mean over the rows that count.
cudaError_t crossEntropy(const CrossEntropyRows& rows, bool reduced, bool mean, float* loss, float* logSumExp,
                         float* totalWeight, double* scratch, cudaStream_t stream);

// lossGrad is [rows] if the loss was not reduced, else [1].
cudaError_t crossEntropyBackward(const CrossEntropyRows& rows, bool reduced, bool mean, const float* logSumExp,
                                 const float* totalWeight, const float* lossGrad, float* logitsGrad,
                                 cudaStream_t stream);

}  // namespace cudnn_gru::kernels
