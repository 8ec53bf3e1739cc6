#pragma once

#include "cuda/kernels/sums.h"
#include "cuda/kernels/team.cuh"

namespace cudnn_gru::kernels {

// Where sums go: as they are, to be summed again, or to the result.
struct SumResult {
  double* partials;  // or null
  float* out;
  double factor;
  __device__ void write(int64_t i, double sum) const {
    if (partials)
      partials[i] = sum;
    else
      out[i] = float(factor * sum);
  }
};

// For each row, and each of the `pieces` of its `length` terms: the sum of term(row, i).
template <int kSize, class Term>
__global__ void sumRowPieces(Term term, int64_t rows, int64_t length, int64_t pieces, SumResult result) {
  const Team<kSize> team;
  for (int64_t at = team.index(); at < rows * pieces; at += team.count()) {
    const int64_t row = at / pieces, first = (at - row * pieces) * kSumPiece;
    const int64_t last = first + kSumPiece < length ? first + kSumPiece : length;
    double sum = 0;
    for (int64_t i = first + team.thread; i < last; i += kSize) sum += term(row, i);
    sum = team.sum(sum);
    if (team.thread == 0) result.write(at, sum);
  }
}

// out[row] = factor * sum of term(row, i) over i < length
template <class Term>
cudaError_t launchRowSums(const Term& term, int64_t rows, int64_t length, double factor, float* out, double* scratch,
                          cudaStream_t stream) {
  const int64_t pieces = length > kSumPiece ? (length + kSumPiece - 1) / kSumPiece : 1;
  const SumResult result = {pieces > 1 ? scratch : nullptr, out, factor};
  const cudaError_t status =
      launchRows(sumRowPieces<kWarp, Term>, sumRowPieces<kThreads, Term>, rows * pieces,
                 length < kSumPiece ? length : kSumPiece, stream, term, rows, length, pieces, result);
  if (status != cudaSuccess || pieces == 1) return status;
  return finishRowSums(scratch, rows, pieces, factor, out, scratch + rows * pieces, stream);
}

// For each column, and each piece of its rows: the sum of term(row, column). Threads are [256 / width, width].
template <class Term>
__global__ void sumColumnPieces(Term term, int64_t rows, int64_t columns, int64_t pieces, int64_t height,
                                SumResult result) {
  double* shared = sharedMemory<double>();
  const int64_t across = (columns + blockDim.x - 1) / blockDim.x;
  for (int64_t at = blockIdx.x; at < across * pieces; at += gridDim.x) {
    const int64_t piece = at / across, column = (at - piece * across) * blockDim.x + threadIdx.x;
    const int64_t last = (piece + 1) * height < rows ? (piece + 1) * height : rows;
    double sum = 0;
    if (column < columns)
      for (int64_t row = piece * height + threadIdx.y; row < last; row += blockDim.y) sum += term(row, column);
    __syncthreads();  // until the last sums were read
    shared[threadIdx.y * blockDim.x + threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y > 0 || column >= columns) continue;
    for (unsigned y = 1; y < blockDim.y; ++y) sum += shared[y * blockDim.x + threadIdx.x];
    result.write(piece * columns + column, sum);
  }
}

// out[column] = factor * sum of term(row, column) over row < rows
template <class Term>
cudaError_t launchColumnSums(const Term& term, int64_t rows, int64_t columns, double factor, float* out,
                             double* scratch, cudaStream_t stream) {
  const ColumnPieces shape = columnPieces(rows, columns);
  const int64_t blocks = (columns + shape.width - 1) / shape.width * shape.pieces;
  const SumResult result = {shape.pieces > 1 ? scratch : nullptr, out, factor};
  const cudaError_t status = launch(sumColumnPieces<Term>, unsigned(blocks < kMostBlocks ? blocks : kMostBlocks),
                                    dim3(shape.width, kThreads / shape.width), kThreads * sizeof(double), stream, term,
                                    rows, columns, shape.pieces, shape.height, result);
  if (status != cudaSuccess || shape.pieces == 1) return status;
  return finishColumnSums(scratch, shape.pieces, columns, factor, out, stream);
}

}  // namespace cudnn_gru::kernels
