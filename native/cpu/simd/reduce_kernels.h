#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

namespace cudnn_gru {

// sums[c] += the sum of x[r * stride + c] over 0 <= r < rows, in ascending r, for 0 <= c < columns
using AddRowsKernel = void (*)(const float* x, int64_t rows, int64_t stride, int64_t columns, double* sums);

struct ReduceKernels {
  double (*sum)(const float* x, int64_t count);
  AddRowsKernel addRows;
  // y[c] = the largest x[r * stride + c], the first on a tie, NaN if any is; argmax[c] its row. No rows: 0 and -1.
  void (*columnMaxima)(const float* x, int64_t rows, int64_t stride, int64_t columns, float* y, int32_t* argmax);
};
CUDNN_GRU_KERNEL_TABLE(ReduceKernels, reduceTable, reduceKernels)

}  // namespace cudnn_gru
