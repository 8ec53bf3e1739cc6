#include "cuda/gru_conversions.h"

#include <algorithm>
#include <cmath>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/magnitudes.h"
#include "cuda/kernels/random.h"
#include "cuda/kernels/rearrange.h"

namespace cudnn_gru {

namespace {

// 2^10 leaves a factor of 64 below float16's largest number for what grows on the way back through time. More headroom
// than 2^8 would cost small gradients more than large sums gain: those are seldom of one sign.
constexpr int kExponentOfSum = 10, kMostHeadroom = 8;

}  // namespace

void toPrecision(CudaDevice& device, const float* from, void* to, int64_t count, ops::Precision precision) {
  switch (precision) {
    case ops::Precision::kFloat16:
      CUDNN_GRU_CUDA(kernels::toFloat16(from, to, count, device.stream()));
      return;
    case ops::Precision::kBfloat16:
      CUDNN_GRU_CUDA(kernels::toBfloat16(from, to, count, device.stream()));
      return;
    default:
      CUDNN_GRU_CUDA(
          cudaMemcpyAsync(to, from, size_t(count) * sizeof(float), cudaMemcpyDeviceToDevice, device.stream()));
  }
}

void fromPrecision(CudaDevice& device, const void* from, float* to, int64_t count, ops::Precision precision) {
  switch (precision) {
    case ops::Precision::kFloat16:
      CUDNN_GRU_CUDA(kernels::fromFloat16(from, to, count, device.stream()));
      return;
    case ops::Precision::kBfloat16:
      CUDNN_GRU_CUDA(kernels::fromBfloat16(from, to, count, device.stream()));
      return;
    default:
      CUDNN_GRU_CUDA(
          cudaMemcpyAsync(to, from, size_t(count) * sizeof(float), cudaMemcpyDeviceToDevice, device.stream()));
  }
}

void multiplyBy(CudaDevice& device, float* values, int64_t count, const float* factor) {
  CUDNN_GRU_CUDA(kernels::multiplyBy(values, values, count, factor, device.stream()));
}

void transposeSequence(CudaDevice& device, const float* from, float* to, int64_t a, int64_t b, int64_t features) {
  CUDNN_GRU_CUDA(kernels::transpose(reinterpret_cast<const int32_t*>(from), reinterpret_cast<int32_t*>(to), 1, a, 1, b,
                                    features, device.stream()));
}

void GruDropout::apply(CudaDevice& device, int64_t layer, int64_t count, const float* from, float* to) const {
  const uint64_t first = offset + uint64_t(layer * ((count + 3) / 4));
  const uint32_t threshold = uint32_t(std::min(std::ceil(probability * 0x1p32), 0x1p32 - 1));
  CUDNN_GRU_CUDA(
      kernels::dropout(from, to, count, seed, first, threshold, float(1 / (1 - probability)), device.stream()));
}

GradientScale::GradientScale(CudaDevice& device, const float* a, int64_t aCount, const float* b, int64_t bCount,
                             int64_t summands)
    : scratch_(device, 2) {
  const int headroom = std::clamp(std::ilogb(double(summands)) + 1 - kExponentOfSum, 0, kMostHeadroom);
  // The largest magnitude first, in the same place as the factor that is made of it.
  CUDNN_GRU_CUDA(cudaMemsetAsync(scratch_.data(), 0, scratch_.bytes(), device.stream()));
  if (a) CUDNN_GRU_CUDA(kernels::largestMagnitude(a, aCount, scratch_.floats(), device.stream()));
  if (b) CUDNN_GRU_CUDA(kernels::largestMagnitude(b, bCount, scratch_.floats(), device.stream()));
  CUDNN_GRU_CUDA(kernels::scaleFor(scratch_.floats(), headroom, device.stream()));
}

}  // namespace cudnn_gru
