#include "cpu/column_sums.h"
#include "cpu/gemm.h"
#include "cpu/packed_weights.h"
#include "cpu/simd/reduce_kernels.h"

namespace cudnn_gru {

void CpuDevice::linear(const ops::Linear& operation) {
  ops::requireFloat32(operation.precision, "linear");
  const int64_t k = operation.inputSize, n = operation.outputSize;
  const auto x = rowsOf(operation.x.floats(), operation.rows, k);
  const auto y = rowsOf(operation.y.floats(), operation.rows, n);
  Product product;
  product.m = operation.rows;
  product.n = n;
  product.k = k;
  product.a = {x.data(), 0};
  product.panels =
      packedWeights(*this, operation.weight, "linear " + std::to_string(k), panelFloats(k, n), [&](float* to) {
        const auto weight = rowsOf(operation.weight.floats(), n, k);
        packPanels(team_, {weight.data(), 0}, true, k, n, to);
      });
  product.c = y.data();
  product.bias = operation.bias.floatsOrNull();
  multiply(*this, product);
}

void CpuDevice::linearBackward(const ops::LinearBackward& operation) {
  ops::requireFloat32(operation.precision, "linearBackward");
  const int64_t rows = operation.rows, in = operation.inputSize, out = operation.outputSize;
  const auto yGrad = rowsOf(operation.yGrad.floats(), rows, out);
  if (operation.xGrad) {
    const auto weight = rowsOf(operation.weight.floats(), out, in);
    const auto xGrad = rowsOf(operation.xGrad.floats(), rows, in);
    Product product;
    product.m = rows;
    product.n = in;
    product.k = out;
    product.a = {yGrad.data(), 0};
    product.b = {weight.data(), 0};
    product.c = xGrad.data();
    multiply(*this, product);
  }
  if (operation.weightGrad) {
    const auto x = rowsOf(operation.x.floats(), rows, in);
    const auto weightGrad = rowsOf(operation.weightGrad.floats(), out, in);
    Product product;
    product.m = out;
    product.n = in;
    product.k = rows;
    product.a = {yGrad.data(), 0};
    product.transposedA = true;
    product.b = {x.data(), 0};
    product.c = weightGrad.data();
    multiply(*this, product);
  }
  if (operation.biasGrad) {
    const float* from = operation.yGrad.floats();
    const std::vector<double> sums =
        columnSums(team_, 1, rows, out,
                   [&](int64_t, int64_t row, int64_t lastRow, int64_t column, int64_t lastColumn, double* to) {
                     reduceKernels().addRows(from + row * out + column, lastRow - row, out, lastColumn - column, to);
                   });
    float* biasGrad = operation.biasGrad.floats();
    for (int64_t c = 0; c < out; ++c) biasGrad[c] = float(sums[c]);
  }
}

}  // namespace cudnn_gru
