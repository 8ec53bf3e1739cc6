#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/math.cuh"
#include "cuda/kernels/philox.cuh"
#include "cuda/kernels/random.h"

namespace cudnn_gru::kernels {
namespace {

constexpr double kTwoPi = 6.283185307179586;

// Kernels: a thread for each block of the generator.

__global__ void uniformNumbers(float* out, int64_t count, uint64_t seed, uint64_t offset, float low, float step,
                               float largest) {
  for (int64_t first = gridThread() * 4; first < count; first += gridThreads() * 4) {
    const PhiloxBlock block = philox(seed, offset + uint64_t(first / 4));
    for (int i = 0; i < 4 && first + i < count; ++i)
      out[first + i] = smaller(low + step * float(block.word[i] >> 8), largest);
  }
}

__global__ void normalNumbers(float* out, int64_t count, uint64_t seed, uint64_t offset, double mean,
                              double deviation) {
  for (int64_t first = gridThread() * 4; first < count; first += gridThreads() * 4) {
    const PhiloxBlock block = philox(seed, offset + uint64_t(first / 4));
    for (int i = 0; i < 4 && first + i < count; i += 2) {
      // The first uniform number is in (0, 1], so that its logarithm is finite.
      const double radius = deviation * ::sqrt(-2 * ::log((double(block.word[i]) + 1) * 0x1p-32));
      const double angle = kTwoPi * (double(block.word[i + 1]) * 0x1p-32);
      out[first + i] = float(mean + radius * ::cos(angle));
      if (first + i + 1 < count) out[first + i + 1] = float(mean + radius * ::sin(angle));
    }
  }
}

__global__ void dropElements(const float* x, float* y, int64_t count, uint64_t seed, uint64_t offset,
                             uint32_t threshold, float factor) {
  for (int64_t first = gridThread() * 4; first < count; first += gridThreads() * 4) {
    const PhiloxBlock block = philox(seed, offset + uint64_t(first / 4));
    for (int i = 0; i < 4 && first + i < count; ++i)
      y[first + i] = block.word[i] < threshold ? 0.0f : x[first + i] * factor;
  }
}

unsigned blocksForWords(int64_t count) { return blocksFor((count + 3) / 4); }

}  // namespace

// Launchers

cudaError_t randomUniform(float* out, int64_t count, uint64_t seed, uint64_t offset, float low, float high,
                          float largest, cudaStream_t stream) {
  return launch(uniformNumbers, blocksForWords(count), kThreads, 0, stream, out, count, seed, offset, low,
                (high - low) * 0x1p-24f, largest);
}

cudaError_t randomNormal(float* out, int64_t count, uint64_t seed, uint64_t offset, double mean, double deviation,
                         cudaStream_t stream) {
  return launch(normalNumbers, blocksForWords(count), kThreads, 0, stream, out, count, seed, offset, mean, deviation);
}

cudaError_t dropout(const float* x, float* y, int64_t count, uint64_t seed, uint64_t offset, uint32_t threshold,
                    float factor, cudaStream_t stream) {
  return launch(dropElements, blocksForWords(count), kThreads, 0, stream, x, y, count, seed, offset, threshold, factor);
}

}  // namespace cudnn_gru::kernels
