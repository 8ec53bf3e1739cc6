#pragma once

#include <stdint.h>

namespace cudnn_gru::kernels {

// Axes of length 1 have vanished before an operation comes here, so this many hold more elements than any memory.
constexpr int kMostAxes = 40;

// The axes of a tensor, the slowest first, and how two arrays step along them, in elements (0: repeated).
struct Axes {
  int rank = 0;
  int64_t dims[kMostAxes], aStrides[kMostAxes], bStrides[kMostAxes];
};

}  // namespace cudnn_gru::kernels
