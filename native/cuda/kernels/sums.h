#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Sums in float64, in two stages and in a fixed order, so the same bits in every run: first the sums of pieces, whose
// size depends on the shape alone, then their sum.
namespace cudnn_gru::kernels {

// Elements of a row that one block adds up.
constexpr int64_t kSumPiece = 8192;

// How many doubles the scratch space for the sums of `rows` rows of `length` terms must hold.
inline int64_t rowSumsScratch(int64_t rows, int64_t length) {
  int64_t total = 0;
  while (length > kSumPiece) {
    length = (length + kSumPiece - 1) / kSumPiece;
    total += rows * length;
  }
  return total;
}

// A block of column sums is `width` columns wide and adds up `height` rows.
struct ColumnPieces {
  int width;
  int64_t height, pieces;  // pieces: how many such blocks lie above each other
};

inline ColumnPieces columnPieces(int64_t rows, int64_t columns) {
  int width = 1;
  while (width < 32 && width < columns) width *= 2;
  const int64_t height = 256 / width * 32;
  const int64_t pieces = (rows + height - 1) / height;
  return {width, height, pieces > 0 ? pieces : 1};
}

// How many doubles the scratch space for the sums of `columns` columns of `rows` terms must hold.
inline int64_t columnSumsScratch(int64_t rows, int64_t columns) { return columnPieces(rows, columns).pieces * columns; }

// out[row] = factor * sum of partials[row, :]; `scratch` holds rowSumsScratch(rows, length)
cudaError_t finishRowSums(const double* partials, int64_t rows, int64_t length, double factor, float* out,
                          double* scratch, cudaStream_t stream);
// out[column] = factor * sum of partials[:, column]
cudaError_t finishColumnSums(const double* partials, int64_t pieces, int64_t columns, double factor, float* out,
                             cudaStream_t stream);

}  // namespace cudnn_gru::kernels
