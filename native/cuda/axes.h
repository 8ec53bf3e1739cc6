#pragma once

#include <string>
#include <vector>

#include "cuda/kernels/axes.h"
#include "device/error.h"

namespace cudnn_gru {

// The axes of an operation as kernels take them.
inline kernels::Axes axesOf(const std::vector<int64_t>& dims, const std::vector<int64_t>& aStrides,
                            const std::vector<int64_t>& bStrides) {
  CUDNN_GRU_CHECK(dims.size() <= size_t(kernels::kMostAxes), std::to_string(dims.size()) + " axes");
  kernels::Axes axes;
  axes.rank = int(dims.size());
  for (int axis = 0; axis < axes.rank; ++axis) {
    axes.dims[axis] = dims[axis];
    axes.aStrides[axis] = aStrides[axis];
    axes.bStrides[axis] = bStrides[axis];
  }
  return axes;
}

}  // namespace cudnn_gru
