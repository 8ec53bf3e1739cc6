#include <algorithm>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/elementwise_kernels.h"

namespace cudnn_gru {
namespace {

void runUnary(ThreadTeam& team, const ops::Unary& operation, UnaryKernel kernel) {
  const float* x = operation.x.floats();
  float* out = operation.out.floats();
  parallelRanges(team, operation.count, kElementGrain,
                 [=](int64_t begin, int64_t end) { kernel(x + begin, out + begin, end - begin); });
}

void runUnaryBackward(ThreadTeam& team, const ops::UnaryBackward& operation, UnaryBackwardKernel kernel) {
  const float* y = operation.y.floats();
  const float* yGrad = operation.yGrad.floats();
  float* xGrad = operation.xGrad.floats();
  parallelRanges(team, operation.count, kElementGrain,
                 [=](int64_t begin, int64_t end) { kernel(y + begin, yGrad + begin, xGrad + begin, end - begin); });
}

}  // namespace

void CpuDevice::fill(const ops::Fill& operation) {
  const float value = float(operation.value);
  float* out = operation.out.floats();
  const auto kernel = elementwiseKernels().fill;
  parallelRanges(team_, operation.count, kElementGrain,
                 [=](int64_t begin, int64_t end) { kernel(value, out + begin, end - begin); });
}

void CpuDevice::accumulate(const ops::Accumulate& operation) {
  const float* x = operation.x.floats();
  float* target = operation.target.floats();
  const auto kernel = elementwiseKernels().add;
  parallelRanges(team_, operation.count, kElementGrain, [=](int64_t begin, int64_t end) {
    kernel(target + begin, 1, x + begin, 1, target + begin, end - begin);
  });
}

void CpuDevice::scale(const ops::Scale& operation) {
  const float factor = float(operation.factor), offset = float(operation.offset);
  const float* x = operation.x.floats();
  float* out = operation.out.floats();
  const auto kernel = elementwiseKernels().scale;
  parallelRanges(team_, operation.count, kElementGrain,
                 [=](int64_t begin, int64_t end) { kernel(factor, offset, x + begin, out + begin, end - begin); });
}

void CpuDevice::tanh(const ops::Tanh& operation) { runUnary(team_, operation, elementwiseKernels().tanh); }
void CpuDevice::sigmoid(const ops::Sigmoid& operation) { runUnary(team_, operation, elementwiseKernels().sigmoid); }
void CpuDevice::relu(const ops::Relu& operation) { runUnary(team_, operation, elementwiseKernels().relu); }

void CpuDevice::tanhBackward(const ops::TanhBackward& operation) {
  runUnaryBackward(team_, operation, elementwiseKernels().tanhBackward);
}
void CpuDevice::sigmoidBackward(const ops::SigmoidBackward& operation) {
  runUnaryBackward(team_, operation, elementwiseKernels().sigmoidBackward);
}
void CpuDevice::reluBackward(const ops::ReluBackward& operation) {
  runUnaryBackward(team_, operation, elementwiseKernels().reluBackward);
}

}  // namespace cudnn_gru
