#include "cuda/axes.h"
#include "cuda/cuda_device.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/reduce.h"
#include "cuda/kernels/sums.h"
#include "device/scratch.h"

namespace cudnn_gru {
namespace {

// The axes of x that are kept, or those that are summed, with the steps of x along them.
struct SomeAxes {
  std::vector<int64_t> dims, xStrides;
  int64_t count = 1;
  kernels::Axes axes() const { return axesOf(dims, xStrides, xStrides); }
};

}  // namespace

void CudaDevice::sum(const ops::Sum& operation) {
  const float* x = operation.x.floats();
  float* out = operation.out.floats();
  if (operation.count == 0)
    return CUDNN_GRU_CUDA(kernels::fill(out, operation.outCount, float(0 * operation.factor), stream()));

  SomeAxes kept, summed;
  int64_t xStride = operation.count;
  for (int64_t axis = 0; axis < operation.rank; ++axis) {
    xStride /= operation.dims[axis];
    SomeAxes& part = operation.outStrides[axis] == 0 ? summed : kept;
    part.dims.push_back(operation.dims[axis]);
    part.xStrides.push_back(xStride);
    part.count *= operation.dims[axis];
  }
  // Sums are written in the order of the kept axes.
  for (int64_t axis = operation.rank, outStride = 1; axis-- > 0;) {
    if (operation.outStrides[axis] == 0) continue;
    CUDNN_GRU_CHECK(operation.outStrides[axis] == outStride, "the result is not contiguous");
    outStride *= operation.dims[axis];
  }
  if (operation.rank > 0 && operation.outStrides.back() != 0) {
    const Doubles scratch(*this, kernels::columnSumsScratch(summed.count, kept.count));
    CUDNN_GRU_CUDA(kernels::sumColumns(x, out, kept.axes(), summed.axes(), kept.count, summed.count, operation.factor,
                                       scratch.data(), stream()));
  } else {
    const Doubles scratch(*this, kernels::rowSumsScratch(kept.count, summed.count));
    CUDNN_GRU_CUDA(kernels::sumRows(x, out, kept.axes(), summed.axes(), kept.count, summed.count, operation.factor,
                                    scratch.data(), stream()));
  }
}

}  // namespace cudnn_gru
