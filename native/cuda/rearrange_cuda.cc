#include "cuda/cuda_device.h"
#include "cuda/kernels/rearrange.h"

// Every element is four bytes, whatever its type.
namespace cudnn_gru {

void CudaDevice::copy(const ops::Copy& operation) {
  CUDNN_GRU_CUDA(cudaMemcpyAsync(operation.target.data(), operation.x.data(), operation.x.bytes(),
                                 cudaMemcpyDeviceToDevice, stream()));
}

void CudaDevice::concat(const ops::Concat& operation) {
  const int64_t inner = operation.inner;
  int32_t* y = operation.y.ints();
  for (size_t i = 0; i < operation.parts.size(); ++i) {
    const int64_t taken = operation.lengths[i] * inner;
    CUDNN_GRU_CUDA(kernels::copyRows(operation.parts[i].ints(), taken, y, operation.length * inner, operation.outer,
                                     taken, stream()));
    y += taken;
  }
}

void CudaDevice::slice(const ops::Slice& operation) {
  const int64_t inner = operation.inner;
  CUDNN_GRU_CUDA(kernels::copyRows(operation.x.ints() + operation.start * inner, operation.length * inner,
                                   operation.y.ints(), operation.taken * inner, operation.outer,
                                   operation.taken * inner, stream()));
}

void CudaDevice::sliceBackward(const ops::SliceBackward& operation) {
  CUDNN_GRU_CUDA(kernels::placeSlice(operation.yGrad.floats(), operation.xGrad.floats(), operation.outer,
                                     operation.length, operation.inner, operation.start, operation.taken, stream()));
}

void CudaDevice::transpose(const ops::Transpose& operation) {
  CUDNN_GRU_CUDA(kernels::transpose(operation.x.ints(), operation.y.ints(), operation.outer, operation.m,
                                    operation.middle, operation.n, operation.inner, stream()));
}

}  // namespace cudnn_gru
