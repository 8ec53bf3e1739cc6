#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// float32 to 16 bits, rounded to nearest, ties to even, and back. A number too large for float16 becomes infinite.
namespace cudnn_gru::kernels {

cudaError_t toFloat16(const float* x, void* out, int64_t count, cudaStream_t stream);
cudaError_t toBfloat16(const float* x, void* out, int64_t count, cudaStream_t stream);
cudaError_t fromFloat16(const void* x, float* out, int64_t count, cudaStream_t stream);
cudaError_t fromBfloat16(const void* x, float* out, int64_t count, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
