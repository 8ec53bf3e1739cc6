#pragma once

#include <cstdint>

#include "cuda/cuda_device.h"
#include "ops/precision.h"

namespace cudnn_gru {

// Between float32 outside and the numbers inside an operation: a copy where these are float32 too.
void toPrecision(CudaDevice& device, const float* from, void* to, int64_t count, ops::Precision precision);
void fromPrecision(CudaDevice& device, const void* from, float* to, int64_t count, ops::Precision precision);

// values *= factor, one number on the device
void multiplyBy(CudaDevice& device, float* values, int64_t count, const float* factor);

// to [b, a, features] = from [a, b, features]
void transposeSequence(CudaDevice& device, const float* from, float* to, int64_t a, int64_t b, int64_t features);

// The dropout after layer `layer` of a stack, on a time-major sequence of `count` numbers, as ops::GruShape says; its
// own gradient. `to` may be `from`.
struct GruDropout {
  double probability;
  uint64_t seed, offset;

  void apply(CudaDevice& device, int64_t layer, int64_t count, const float* from, float* to) const;
};

// Small gradients would be 0 in float16, and the sums of many more than it holds (65504): a power of two that brings
// the largest near 1, or so far below (2^-8 at most) that `summands` of them are at most 1024; and its inverse, on the
// device.
class GradientScale {
 public:
  // Of two arrays; either may be null. `summands`: how many numbers are added up in the gradient of a weight.
  GradientScale(CudaDevice& device, const float* a, int64_t aCount, const float* b, int64_t bCount, int64_t summands);
  const float* factor() const { return scratch_.floats(); }
  const float* inverse() const { return scratch_.floats() + 1; }

 private:
  Scratch scratch_;
};

}  // namespace cudnn_gru
