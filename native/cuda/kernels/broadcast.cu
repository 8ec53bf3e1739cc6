#include "cuda/kernels/arithmetic.cuh"
#include "cuda/kernels/broadcast.h"
#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/strides.cuh"

namespace cudnn_gru::kernels {
namespace {

// Kernels

template <class Function>
__global__ void combineElements(Function function, const float* a, const float* b, float* out, Axes axes,
                                int64_t count) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const Offsets at = offsetsOf(axes, i);
    out[i] = function(a[at.a], b[at.b]);
  }
}

__global__ void expandElements(const float* x, float* out, Axes axes, int64_t count, float factor) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) out[i] = factor * x[offsetsOf(axes, i).a];
}

template <class Function>
cudaError_t combine(const float* a, const float* b, float* out, const Axes& axes, int64_t count, cudaStream_t stream) {
  return launch(combineElements<Function>, blocksFor(count), kThreads, 0, stream, Function{}, a, b, out, axes, count);
}

}  // namespace

// Launchers

cudaError_t addBroadcast(const float* a, const float* b, float* out, const Axes& axes, int64_t count,
                         cudaStream_t stream) {
  return combine<Plus>(a, b, out, axes, count, stream);
}

cudaError_t subBroadcast(const float* a, const float* b, float* out, const Axes& axes, int64_t count,
                         cudaStream_t stream) {
  return combine<Minus>(a, b, out, axes, count, stream);
}

cudaError_t mulBroadcast(const float* a, const float* b, float* out, const Axes& axes, int64_t count,
                         cudaStream_t stream) {
  return combine<Times>(a, b, out, axes, count, stream);
}

cudaError_t divBroadcast(const float* a, const float* b, float* out, const Axes& axes, int64_t count,
                         cudaStream_t stream) {
  return combine<Over>(a, b, out, axes, count, stream);
}

cudaError_t expand(const float* x, float* out, const Axes& axes, int64_t count, float factor, cudaStream_t stream) {
  return launch(expandElements, blocksFor(count), kThreads, 0, stream, x, out, axes, count, factor);
}

}  // namespace cudnn_gru::kernels
