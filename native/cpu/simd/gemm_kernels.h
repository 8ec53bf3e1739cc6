#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

namespace cudnn_gru {

// Matrices are arrays of pointers to their rows, so rows may lie anywhere. B is packed in panels of `panelColumns`
// columns: panel p holds, k by k, columns p * panelColumns and on, in whole vectors filled up with 0; the last panel
// has only as many vectors as it needs.

// C = A B (+ bias), or C += A B, over a range of k.
struct GemmBlock {
  const float* const* a;  // [rows], or the columns of a packed block; element (r, k) is a[r][aOffset + k * aStride]
  int64_t aOffset, aStride;
  const float* panels;  // of the first column
  int64_t panelDepth;   // rows of a panel
  int64_t panelRow;     // the first one read
  int64_t rows, columns, depth;
  float* const* c;  // [rows]
  int64_t cOffset;
  const float* bias;  // [columns] or null, where the sum starts unless `accumulate`
  bool accumulate;    // start from what C holds
};

// Rows begin..end of B's panels, to be filled from B, or from its transpose.
struct PackBlock {
  const float* const* rows;  // row k is rows[k], or transposed, column c is rows[c]; `offset` is added to each
  int64_t offset;
  int64_t begin, end, columns;
  float* panels;  // of the first column
  int64_t panelDepth;
};

struct GemmKernels {
  int64_t width;         // floats of a vector
  int64_t panelColumns;  // of a full panel
  int64_t tileRows;
  void (*multiply)(const GemmBlock& block);
  void (*pack)(const PackBlock& block);
  void (*packTransposed)(const PackBlock& block);
  // out[k * columns + c] = rows[k][offset + c]: a strip of a transposed A
  void (*gatherColumns)(const float* const* rows, int64_t offset, int64_t depth, int64_t columns, float* out);
};
CUDNN_GRU_KERNEL_TABLE(GemmKernels, gemmTable, gemmKernels)

}  // namespace cudnn_gru
