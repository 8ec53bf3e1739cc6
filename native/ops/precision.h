#pragma once

#include <cstdint>

#include "device/error.h"

namespace cudnn_gru::ops {

// How an operation computes inside; its tensors are float32 all the same.
enum class Precision : int64_t {
  kFloat32,
  kTf32,      // products of numbers rounded to 10 bits of mantissa, sums in float32
  kFloat16,   // numbers in 16 bits inside the operation, sums in float32
  kBfloat16,  // likewise
};
constexpr int64_t kPrecisions = 4;

// For a device that computes in float32 only.
inline void requireFloat32(Precision precision, const char* operation) {
  if (precision != Precision::kFloat32)
    throw Error("ERR_UNSUPPORTED", std::string(operation) + ": this device computes in float32 only");
}

}  // namespace cudnn_gru::ops
