#include "cuda/cuda_device.h"
#include "cuda/kernels/elementwise.h"

namespace cudnn_gru {
namespace {

using Unary = cudaError_t (*)(const float*, float*, int64_t, cudaStream_t);
using Binary = cudaError_t (*)(const float*, const float*, float*, int64_t, cudaStream_t);

void runUnary(const ops::Unary& operation, Unary kernel, cudaStream_t stream) {
  CUDNN_GRU_CUDA(kernel(operation.x.floats(), operation.out.floats(), operation.count, stream));
}

void runUnaryBackward(const ops::UnaryBackward& operation, Binary kernel, cudaStream_t stream) {
  CUDNN_GRU_CUDA(
      kernel(operation.y.floats(), operation.yGrad.floats(), operation.xGrad.floats(), operation.count, stream));
}

}  // namespace

void CudaDevice::fill(const ops::Fill& operation) {
  CUDNN_GRU_CUDA(kernels::fill(operation.out.floats(), operation.count, float(operation.value), stream()));
}

void CudaDevice::accumulate(const ops::Accumulate& operation) {
  float* target = operation.target.floats();
  CUDNN_GRU_CUDA(kernels::add(target, operation.x.floats(), target, operation.count, stream()));
}

void CudaDevice::scale(const ops::Scale& operation) {
  CUDNN_GRU_CUDA(kernels::scale(operation.x.floats(), operation.out.floats(), operation.count, float(operation.factor),
                                float(operation.offset), stream()));
}

void CudaDevice::tanh(const ops::Tanh& operation) { runUnary(operation, kernels::tanh, stream()); }
void CudaDevice::sigmoid(const ops::Sigmoid& operation) { runUnary(operation, kernels::sigmoid, stream()); }
void CudaDevice::relu(const ops::Relu& operation) { runUnary(operation, kernels::relu, stream()); }

void CudaDevice::tanhBackward(const ops::TanhBackward& operation) {
  runUnaryBackward(operation, kernels::tanhBackward, stream());
}
void CudaDevice::sigmoidBackward(const ops::SigmoidBackward& operation) {
  runUnaryBackward(operation, kernels::sigmoidBackward, stream());
}
void CudaDevice::reluBackward(const ops::ReluBackward& operation) {
  runUnaryBackward(operation, kernels::reluBackward, stream());
}

}  // namespace cudnn_gru
