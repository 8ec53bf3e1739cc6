#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Operations on each element alone; what they compute is in ops/arithmetic.h. `out` may be an input.
namespace cudnn_gru::kernels {

cudaError_t fill(float* out, int64_t count, float value, cudaStream_t stream);
// factor * x + offset, rounded once
cudaError_t scale(const float* x, float* out, int64_t count, float factor, float offset, cudaStream_t stream);

cudaError_t tanh(const float* x, float* out, int64_t count, cudaStream_t stream);
cudaError_t sigmoid(const float* x, float* out, int64_t count, cudaStream_t stream);
cudaError_t relu(const float* x, float* out, int64_t count, cudaStream_t stream);
cudaError_t tanhBackward(const float* y, const float* yGrad, float* xGrad, int64_t count, cudaStream_t stream);
cudaError_t sigmoidBackward(const float* y, const float* yGrad, float* xGrad, int64_t count, cudaStream_t stream);
cudaError_t reluBackward(const float* y, const float* yGrad, float* xGrad, int64_t count, cudaStream_t stream);

// out[i] = a[i] (+ - * /) b[i]
cudaError_t add(const float* a, const float* b, float* out, int64_t count, cudaStream_t stream);
cudaError_t sub(const float* a, const float* b, float* out, int64_t count, cudaStream_t stream);
cudaError_t mul(const float* a, const float* b, float* out, int64_t count, cudaStream_t stream);
cudaError_t div(const float* a, const float* b, float* out, int64_t count, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
