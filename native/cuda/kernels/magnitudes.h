#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Largest magnitudes, and scaling by what they are.
namespace cudnn_gru::kernels {

// *largest = the largest of itself (>= 0) and every |x|; a NaN is larger than anything
cudaError_t largestMagnitude(const float* x, int64_t count, float* largest, cudaStream_t stream);
// *largest = the largest of itself and every |a - b|
cudaError_t largestDifference(const float* a, const float* b, int64_t count, float* largest, cudaStream_t stream);
// From a largest magnitude m in pair[0]: pair = {2^k, 2^-k} with m 2^(k + headroom) in [1/2, 1); as of m = 1/2 where m
// is 0 or not finite
cudaError_t scaleFor(float* pair, int headroom, cudaStream_t stream);
// out = x * *factor; `out` may be `x`
cudaError_t multiplyBy(const float* x, float* out, int64_t count, const float* factor, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
