#pragma once

#include <cuda_runtime_api.h>

#include "cuda/kernels/axes.h"

// Operations whose operands are repeated along some axes; `out` is contiguous over all of them.
namespace cudnn_gru::kernels {

cudaError_t addBroadcast(const float* a, const float* b, float* out, const Axes& axes, int64_t count,
                         cudaStream_t stream);
cudaError_t subBroadcast(const float* a, const float* b, float* out, const Axes& axes, int64_t count,
                         cudaStream_t stream);
cudaError_t mulBroadcast(const float* a, const float* b, float* out, const Axes& axes, int64_t count,
                         cudaStream_t stream);
cudaError_t divBroadcast(const float* a, const float* b, float* out, const Axes& axes, int64_t count,
                         cudaStream_t stream);

// out[i...] = factor * x[i...]; x steps by the axes' aStrides
cudaError_t expand(const float* x, float* out, const Axes& axes, int64_t count, float factor, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
