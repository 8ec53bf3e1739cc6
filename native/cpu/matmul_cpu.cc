#include "cpu/gemm.h"

namespace cudnn_gru {

void CpuDevice::matmul(const ops::Matmul& operation) {
  ops::requireFloat32(operation.precision, "matmul");
  const int64_t m = operation.m, n = operation.n, k = operation.k;
  if (operation.batch == 0) return;
  const auto a = operation.transposeA ? rowsOf(operation.a.floats(), k, m) : rowsOf(operation.a.floats(), m, k);
  const auto b = operation.transposeB ? rowsOf(operation.b.floats(), n, k) : rowsOf(operation.b.floats(), k, n);
  const auto c = rowsOf(operation.c.floats(), m, n);
  Product product;
  product.m = m;
  product.n = n;
  product.k = k;
  product.a = {a.data(), 0};
  product.transposedA = operation.transposeA;
  product.b = {b.data(), 0};
  product.transposedB = operation.transposeB;
  product.c = c.data();
  multiplyBatch(*this, product, operation.batch, m * k, k * n, m * n);
}

}  // namespace cudnn_gru
