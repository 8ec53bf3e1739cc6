#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/rows_kernels.h"

namespace cudnn_gru {
namespace {

void runRows(ThreadTeam& team, const ops::RowWise& operation, RowKernel kernel) {
  const int64_t columns = operation.columns;
  const float* x = operation.x.floats();
  float* y = operation.y.floats();
  parallelRanges(team, operation.rows, rowGrain(columns), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) kernel(x + row * columns, columns, y + row * columns);
  });
}

void runRowsBackward(ThreadTeam& team, const ops::RowWiseBackward& operation, RowBackwardKernel kernel) {
  const int64_t columns = operation.columns;
  const float* y = operation.y.floats();
  const float* yGrad = operation.yGrad.floats();
  float* xGrad = operation.xGrad.floats();
  parallelRanges(team, operation.rows, rowGrain(columns), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      kernel(y + row * columns, yGrad + row * columns, columns, xGrad + row * columns);
  });
}

}  // namespace

void CpuDevice::softmax(const ops::Softmax& operation) { runRows(team_, operation, rowsKernels().softmax); }
void CpuDevice::logSoftmax(const ops::LogSoftmax& operation) { runRows(team_, operation, rowsKernels().logSoftmax); }

void CpuDevice::softmaxBackward(const ops::SoftmaxBackward& operation) {
  runRowsBackward(team_, operation, rowsKernels().softmaxBackward);
}
void CpuDevice::logSoftmaxBackward(const ops::LogSoftmaxBackward& operation) {
  runRowsBackward(team_, operation, rowsKernels().logSoftmaxBackward);
}

}  // namespace cudnn_gru
