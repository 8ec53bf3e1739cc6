#include "cpu/column_sums.h"
#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/reduce_kernels.h"
#include "cpu/simd/rows_kernels.h"

namespace cudnn_gru {
namespace {

// grad[c] = the sum over the rows, `columns` elements apart, of what addRows(row, rows, first element, width, sums)
// adds up
template <class AddRows>
void sumOverRows(ThreadTeam& team, const ops::LayerNormBackward& operation, const View& grad, const AddRows& addRows) {
  if (!grad) return;
  const std::vector<double> sums =
      columnSums(team, 1, operation.rows, operation.columns,
                 [&](int64_t, int64_t row, int64_t lastRow, int64_t column, int64_t lastColumn, double* to) {
                   addRows(row, lastRow - row, row * operation.columns + column, lastColumn - column, to);
                 });
  for (size_t c = 0; c < sums.size(); ++c) grad.floats()[c] = float(sums[c]);
}

}  // namespace

void CpuDevice::layerNorm(const ops::LayerNorm& operation) {
  const int64_t columns = operation.columns;
  const double epsilon = operation.epsilon;
  const float* x = operation.x.floats();
  const float* weight = operation.weight.floatsOrNull();
  const float* bias = operation.bias.floatsOrNull();
  float* y = operation.y.floats();
  float* mean = operation.mean.floats();
  float* rstd = operation.rstd.floats();
  const auto kernel = rowsKernels().layerNorm;
  parallelRanges(team_, operation.rows, rowGrain(columns), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      kernel(x + row * columns, weight, bias, epsilon, columns, y + row * columns, mean + row, rstd + row);
  });
}

void CpuDevice::layerNormBackward(const ops::LayerNormBackward& operation) {
  const int64_t columns = operation.columns;
  const float* x = operation.x.floats();
  const float* weight = operation.weight.floatsOrNull();
  const float* mean = operation.mean.floats();
  const float* rstd = operation.rstd.floats();
  const float* yGrad = operation.yGrad.floats();
  sumOverRows(team_, operation, operation.weightGrad,
              [&](int64_t row, int64_t rows, int64_t at, int64_t width, double* sums) {
                rowsKernels().layerNormWeight(x + at, mean + row, rstd + row, yGrad + at, rows, columns, width, sums);
              });
  sumOverRows(team_, operation, operation.biasGrad,
              [&](int64_t, int64_t rows, int64_t at, int64_t width, double* sums) {
                reduceKernels().addRows(yGrad + at, rows, columns, width, sums);
              });
  if (!operation.xGrad) return;
  float* xGrad = operation.xGrad.floats();
  const auto kernel = rowsKernels().layerNormBackward;
  parallelRanges(team_, operation.rows, rowGrain(columns), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      kernel(x + row * columns, weight, mean[row], rstd[row], yGrad + row * columns, columns, xGrad + row * columns);
  });
}

}  // namespace cudnn_gru
