#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

#include "cuda/kernels/index_fault.h"

// Rows of a table by their numbers. An id outside 0..vocabularySize-1 is reported; its row of y is NaN, and in the
// backward operation it counts for nothing.
namespace cudnn_gru::kernels {

// y [count, size] = weight[ids[i]]
cudaError_t embedding(const int32_t* ids, const float* weight, float* y, int64_t count, int64_t vocabularySize,
                      int64_t size, IndexFault* fault, cudaStream_t stream);

// weightGrad [vocabularySize, size]: row v = the sum of yGrad[i] over ids[i] = v in ascending i, row `padding` 0
cudaError_t embeddingBackward(const int32_t* ids, const float* yGrad, float* weightGrad, int64_t count,
                              int64_t vocabularySize, int64_t size, int64_t padding, IndexFault* fault,
                              cudaStream_t stream);

}  // namespace cudnn_gru::kernels
