#include "cpu/simd/reduce_kernels.h"
#include "cpu/simd/vec.h"
#include "cpu/simd/vectors.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

static double runSum(const float* x, int64_t count) { return sumOf(x, count); }

static void runAddRows(const float* x, int64_t rows, int64_t stride, int64_t columns, double* sums) {
  addRowTerms(rows, columns, sums, [=](int64_t r, int64_t c) { return double(x[r * stride + c]); });
}

static void runColumnMaxima(const float* x, int64_t rows, int64_t stride, int64_t columns, float* y, int32_t* argmax) {
  for (int64_t c = 0; c < columns; ++c) {
    y[c] = rows > 0 ? x[c] : 0.0f;
    argmax[c] = rows > 0 ? 0 : -1;
  }
  for (int64_t r = 1; r < rows; ++r) {
    const float* row = x + r * stride;
    int64_t c = 0;
    for (; c + kWidth <= columns; c += kWidth) {
      const Vec best = load(y + c), candidate = load(row + c);
      // Whatever is not known to be no larger wins: a larger number, and a NaN over a number.
      const Mask taken = both(negated(lessEqual(candidate, best)), negated(isNan(best)));
      store(y + c, select(taken, candidate, best));
      storeInts(argmax + c, select(taken, broadcastInt(int32_t(r)), loadInts(argmax + c)));
    }
    for (; c < columns; ++c) {
      if (row[c] <= y[c] || y[c] != y[c]) continue;
      y[c] = row[c];
      argmax[c] = int32_t(r);
    }
  }
}

const ReduceKernels& reduceTable() {
  static const ReduceKernels table{runSum, runAddRows, runColumnMaxima};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
