#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Over each row of [rows, columns]; columns >= 1.
namespace cudnn_gru::kernels {

cudaError_t softmax(const float* x, float* y, int64_t rows, int64_t columns, cudaStream_t stream);
cudaError_t logSoftmax(const float* x, float* y, int64_t rows, int64_t columns, cudaStream_t stream);
cudaError_t softmaxBackward(const float* y, const float* yGrad, float* xGrad, int64_t rows, int64_t columns,
                            cudaStream_t stream);
cudaError_t logSoftmaxBackward(const float* y, const float* yGrad, float* xGrad, int64_t rows, int64_t columns,
                               cudaStream_t stream);

}  // namespace cudnn_gru::kernels
