#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "ops/precision.h"

namespace cudnn_gru {

class CudaDevice;

// c[i] = op(a[i]) op(b[i]) + bias for each of `batch` matrices, all in row-major order; op transposes where the flag
// says so. Of a low precision, a and b are rounded first; c and the sums are float32.
struct MatrixProduct {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  bool transposeA = false, transposeB = false;
  ops::Precision precision = ops::Precision::kFloat32;
  const float* a = nullptr;     // [batch, m, k], or [batch, k, m] when transposeA
  const float* b = nullptr;     // [batch, k, n], or [batch, n, k] when transposeB
  const float* bias = nullptr;  // [n], or null; batch = 1
  float* c = nullptr;           // [batch, m, n]
};

// Matrix products by cuBLASLt. What its heuristic chose for a shape is kept and used again, so that a product of one
// shape has the same bits each time.
class MatrixProducts {
 public:
  explicit MatrixProducts(CudaDevice& device);
  ~MatrixProducts();

  void multiply(const MatrixProduct& product);

 private:
  // Sizes, flags, precision, whether the product adds a bias, and whether its matrices lie at multiples of 16 bytes.
  using Key = std::array<int64_t, 9>;
  struct Plan;

  Plan& planOf(const MatrixProduct& product, const void* a, const void* b);

  CudaDevice& device_;
  std::map<Key, Plan> plans_;
};

}  // namespace cudnn_gru
