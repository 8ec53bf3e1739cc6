#include "cuda/axes.h"
#include "cuda/cuda_device.h"
#include "cuda/kernels/broadcast.h"
#include "cuda/kernels/elementwise.h"

namespace cudnn_gru {
namespace {

using Whole = cudaError_t (*)(const float*, const float*, float*, int64_t, cudaStream_t);
using Broadcast = cudaError_t (*)(const float*, const float*, float*, const kernels::Axes&, int64_t, cudaStream_t);

bool isWhole(const std::vector<int64_t>& strides) {
  return strides.empty() || (strides.size() == 1 && strides[0] == 1);
}

void runBinary(const ops::Binary& operation, Whole whole, Broadcast broadcast, cudaStream_t stream) {
  const float *a = operation.a.floats(), *b = operation.b.floats();
  float* out = operation.out.floats();
  if (isWhole(operation.aStrides) && isWhole(operation.bStrides))
    CUDNN_GRU_CUDA(whole(a, b, out, operation.count, stream));
  else
    CUDNN_GRU_CUDA(
        broadcast(a, b, out, axesOf(operation.dims, operation.aStrides, operation.bStrides), operation.count, stream));
}

}  // namespace

void CudaDevice::add(const ops::Add& operation) { runBinary(operation, kernels::add, kernels::addBroadcast, stream()); }
void CudaDevice::sub(const ops::Sub& operation) { runBinary(operation, kernels::sub, kernels::subBroadcast, stream()); }
void CudaDevice::mul(const ops::Mul& operation) { runBinary(operation, kernels::mul, kernels::mulBroadcast, stream()); }
void CudaDevice::div(const ops::Div& operation) { runBinary(operation, kernels::div, kernels::divBroadcast, stream()); }

void CudaDevice::expand(const ops::Expand& operation) {
  CUDNN_GRU_CUDA(kernels::expand(operation.x.floats(), operation.out.floats(),
                                 axesOf(operation.dims, operation.xStrides, operation.xStrides), operation.count,
                                 float(operation.factor), stream()));
}

}  // namespace cudnn_gru
