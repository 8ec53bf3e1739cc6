#include "cuda/kernels/arithmetic.cuh"
#include "cuda/kernels/elements.cuh"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/math.cuh"

namespace cudnn_gru::kernels {
namespace {

// Functions

struct Scaled {
  float factor, offset;
  __device__ float operator()(float x) const { return fmaf(factor, x, offset); }
};

struct TanhOf {
  __device__ float operator()(float x) const { return hyperbolicTangent(x); }
};
struct SigmoidOf {
  __device__ float operator()(float x) const { return logistic(x); }
};
struct ReluOf {
  __device__ float operator()(float x) const { return larger(0.0f, x); }  // NaN stays
};

struct TanhGradient {
  __device__ float operator()(float y, float yGrad) const { return yGrad * fmaf(-y, y, 1.0f); }
};
struct SigmoidGradient {
  __device__ float operator()(float y, float yGrad) const { return yGrad * (1.0f - y) * y; }
};
struct ReluGradient {
  __device__ float operator()(float y, float yGrad) const { return y <= 0 ? 0.0f : yGrad; }
};

// Kernels

__global__ void fillElements(float* out, int64_t count, float value) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) out[i] = value;
}

}  // namespace

// Launchers

cudaError_t fill(float* out, int64_t count, float value, cudaStream_t stream) {
  return launch(fillElements, blocksFor(count), kThreads, 0, stream, out, count, value);
}

cudaError_t scale(const float* x, float* out, int64_t count, float factor, float offset, cudaStream_t stream) {
  return launchMap(Scaled{factor, offset}, Inputs<1>{{x}}, out, count, stream);
}

cudaError_t tanh(const float* x, float* out, int64_t count, cudaStream_t stream) {
  return launchMap(TanhOf{}, Inputs<1>{{x}}, out, count, stream);
}

cudaError_t sigmoid(const float* x, float* out, int64_t count, cudaStream_t stream) {
  return launchMap(SigmoidOf{}, Inputs<1>{{x}}, out, count, stream);
}

cudaError_t relu(const float* x, float* out, int64_t count, cudaStream_t stream) {
  return launchMap(ReluOf{}, Inputs<1>{{x}}, out, count, stream);
}

cudaError_t tanhBackward(const float* y, const float* yGrad, float* xGrad, int64_t count, cudaStream_t stream) {
  return launchMap(TanhGradient{}, Inputs<2>{{y, yGrad}}, xGrad, count, stream);
}

cudaError_t sigmoidBackward(const float* y, const float* yGrad, float* xGrad, int64_t count, cudaStream_t stream) {
  return launchMap(SigmoidGradient{}, Inputs<2>{{y, yGrad}}, xGrad, count, stream);
}

cudaError_t reluBackward(const float* y, const float* yGrad, float* xGrad, int64_t count, cudaStream_t stream) {
  return launchMap(ReluGradient{}, Inputs<2>{{y, yGrad}}, xGrad, count, stream);
}

cudaError_t add(const float* a, const float* b, float* out, int64_t count, cudaStream_t stream) {
  return launchMap(Plus{}, Inputs<2>{{a, b}}, out, count, stream);
}

cudaError_t sub(const float* a, const float* b, float* out, int64_t count, cudaStream_t stream) {
  return launchMap(Minus{}, Inputs<2>{{a, b}}, out, count, stream);
}

cudaError_t mul(const float* a, const float* b, float* out, int64_t count, cudaStream_t stream) {
  return launchMap(Times{}, Inputs<2>{{a, b}}, out, count, stream);
}

cudaError_t div(const float* a, const float* b, float* out, int64_t count, cudaStream_t stream) {
  return launchMap(Over{}, Inputs<2>{{a, b}}, out, count, stream);
}

}  // namespace cudnn_gru::kernels
