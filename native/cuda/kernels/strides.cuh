#pragma once

#include "cuda/kernels/axes.h"

namespace cudnn_gru::kernels {

struct Offsets {
  int64_t a, b;
};

// Where element i, counted over all axes, lies in the two arrays.
__device__ inline Offsets offsetsOf(const Axes& axes, int64_t i) {
  Offsets at = {0, 0};
  for (int axis = axes.rank - 1; axis > 0; --axis) {
    const int64_t rest = i / axes.dims[axis], index = i - rest * axes.dims[axis];
    at.a += index * axes.aStrides[axis];
    at.b += index * axes.bStrides[axis];
    i = rest;
  }
  if (axes.rank > 0) {
    at.a += i * axes.aStrides[0];
    at.b += i * axes.bStrides[0];
  }
  return at;
}

}  // namespace cudnn_gru::kernels
