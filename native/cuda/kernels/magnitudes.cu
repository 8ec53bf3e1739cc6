#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/magnitudes.h"

namespace cudnn_gru::kernels {
namespace {

// Kernels

// The bits of numbers >= 0 are in the order of the numbers, those of NaN above all; which thread comes first does not
// matter. b may be null.
__global__ void largestOf(const float* a, const float* b, int64_t count, float* largest) {
  unsigned mine = 0;
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const float value = !b ? a[i] : a[i] == b[i] ? 0.0f : a[i] - b[i];
    const unsigned bits = __float_as_uint(fabsf(value));
    if (bits > mine) mine = bits;
  }
  if (mine > 0) atomicMax(reinterpret_cast<unsigned*>(largest), mine);
}

__global__ void powersOfTwo(float* pair, int headroom) {
  if (gridThread() != 0) return;
  const float largest = pair[0];
  int exponent = 0;
  if (largest > 0 && largest <= 3.402823466e38f) frexpf(largest, &exponent);
  const int wanted = -exponent - headroom;
  pair[0] = ldexpf(1.0f, wanted > 126 ? 126 : wanted < -126 ? -126 : wanted);
  pair[1] = 1.0f / pair[0];
}

__global__ void multiplyElements(const float* x, float* out, int64_t count, const float* factor) {
  const float by = *factor;
  for (int64_t i = gridThread(); i < count; i += gridThreads()) out[i] = x[i] * by;
}

}  // namespace

// Launchers

cudaError_t largestMagnitude(const float* x, int64_t count, float* largest, cudaStream_t stream) {
  return launch(largestOf, blocksFor(count), kThreads, 0, stream, x, nullptr, count, largest);
}

cudaError_t largestDifference(const float* a, const float* b, int64_t count, float* largest, cudaStream_t stream) {
  return launch(largestOf, blocksFor(count), kThreads, 0, stream, a, b, count, largest);
}

cudaError_t scaleFor(float* pair, int headroom, cudaStream_t stream) {
  return launch(powersOfTwo, 1, kWarp, 0, stream, pair, headroom);
}

cudaError_t multiplyBy(const float* x, float* out, int64_t count, const float* factor, cudaStream_t stream) {
  return launch(multiplyElements, blocksFor(count), kThreads, 0, stream, x, out, count, factor);
}

}  // namespace cudnn_gru::kernels
