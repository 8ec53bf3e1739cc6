#include <algorithm>
#include <cmath>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/random_kernels.h"

// Uniform and normal numbers, and dropout. Work is shared in whole blocks of the generator, four elements each.
namespace cudnn_gru {
namespace {

constexpr int64_t kBlockWords = 4;

// work(first element, number of elements, block that the first element starts)
template <class Work>
void forBlocks(ThreadTeam& team, int64_t count, uint64_t offset, const Work& work) {
  parallelRanges(team, (count + kBlockWords - 1) / kBlockWords, rowGrain(kBlockWords), [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kBlockWords;
    work(first, std::min(count, end * kBlockWords) - first, offset + uint64_t(begin));
  });
}

constexpr double kTwoPi = 6.283185307179586;

}  // namespace

void CpuDevice::randomUniform(const ops::RandomUniform& operation) {
  float* out = operation.out.floats();
  const float low = float(operation.low), high = float(operation.high);
  const float largest = low < high ? std::nextafter(high, low) : low;
  forBlocks(team_, operation.count, operation.offset, [&](int64_t first, int64_t count, uint64_t block) {
    randomKernels().uniform(operation.seed, block, low, high, largest, count, out + first);
  });
}

void CpuDevice::randomNormal(const ops::RandomNormal& operation) {
  float* out = operation.out.floats();
  const double mean = operation.mean, deviation = operation.deviation;
  forBlocks(team_, operation.count, operation.offset, [&](int64_t first, int64_t count, uint64_t block) {
    constexpr int64_t kWords = 256;
    uint32_t words[kWords];
    for (int64_t start = 0; start < count; start += kWords) {
      const int64_t taken = std::min(kWords, count - start);
      randomKernels().words(operation.seed, block + uint64_t(start / kBlockWords), kWords, words);
      float* to = out + first + start;
      for (int64_t i = 0; i < taken; i += 2) {
        // The first uniform number is in (0, 1], so that its logarithm is finite.
        const double radius = deviation * std::sqrt(-2 * std::log((double(words[i]) + 1) * 0x1p-32));
        const double angle = kTwoPi * (double(words[i + 1]) * 0x1p-32);
        to[i] = float(mean + radius * std::cos(angle));
        if (i + 1 < taken) to[i + 1] = float(mean + radius * std::sin(angle));
      }
    }
  });
}

void CpuDevice::dropout(const ops::Dropout& operation) {
  const float* x = operation.x.floats();
  float* y = operation.y.floats();
  const uint32_t threshold = uint32_t(std::min(std::ceil(operation.probability * 0x1p32), 4294967295.0));
  const float scale = float(1 / (1 - operation.probability));
  forBlocks(team_, operation.count, operation.offset, [&](int64_t first, int64_t count, uint64_t block) {
    randomKernels().dropout(operation.seed, block, threshold, scale, x + first, count, y + first);
  });
}

}  // namespace cudnn_gru
