#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Random numbers and dropout; addresses and formulas are those of ops::RandomFill, RandomUniform, RandomNormal and
// ops::Dropout. `offset` counts the generator's blocks of four.
namespace cudnn_gru::kernels {

// out = min(low + (high - low) * (word >> 8) * 2^-24, largest)
cudaError_t randomUniform(float* out, int64_t count, uint64_t seed, uint64_t offset, float low, float high,
                          float largest, cudaStream_t stream);
cudaError_t randomNormal(float* out, int64_t count, uint64_t seed, uint64_t offset, double mean, double deviation,
                         cudaStream_t stream);
// y = word < threshold ? 0 : x * factor; `y` may be `x`
cudaError_t dropout(const float* x, float* y, int64_t count, uint64_t seed, uint64_t offset, uint32_t threshold,
                    float factor, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
