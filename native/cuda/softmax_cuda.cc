#include "cuda/cuda_device.h"
#include "cuda/kernels/softmax.h"

namespace cudnn_gru {
namespace {

using Rows = cudaError_t (*)(const float*, float*, int64_t, int64_t, cudaStream_t);
using RowsBackward = cudaError_t (*)(const float*, const float*, float*, int64_t, int64_t, cudaStream_t);

void runRows(const ops::RowWise& operation, Rows kernel, cudaStream_t stream) {
  CUDNN_GRU_CUDA(kernel(operation.x.floats(), operation.y.floats(), operation.rows, operation.columns, stream));
}

void runRowsBackward(const ops::RowWiseBackward& operation, RowsBackward kernel, cudaStream_t stream) {
  CUDNN_GRU_CUDA(kernel(operation.y.floats(), operation.yGrad.floats(), operation.xGrad.floats(), operation.rows,
                        operation.columns, stream));
}

}  // namespace

void CudaDevice::softmax(const ops::Softmax& operation) { runRows(operation, kernels::softmax, stream()); }
void CudaDevice::logSoftmax(const ops::LogSoftmax& operation) { runRows(operation, kernels::logSoftmax, stream()); }

void CudaDevice::softmaxBackward(const ops::SoftmaxBackward& operation) {
  runRowsBackward(operation, kernels::softmaxBackward, stream());
}
void CudaDevice::logSoftmaxBackward(const ops::LogSoftmaxBackward& operation) {
  runRowsBackward(operation, kernels::logSoftmaxBackward, stream());
}

}  // namespace cudnn_gru
