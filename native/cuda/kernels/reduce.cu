#include "cuda/kernels/reduce.h"
#include "cuda/kernels/strides.cuh"
#include "cuda/kernels/sums.cuh"

namespace cudnn_gru::kernels {
namespace {

// Terms

struct StridedRows {
  const float* x;
  Axes kept, summed;
  __device__ double operator()(int64_t row, int64_t i) const {
    return double(x[offsetsOf(kept, row).a + offsetsOf(summed, i).a]);
  }
};

struct StridedColumns {
  const float* x;
  Axes kept, summed;
  __device__ double operator()(int64_t row, int64_t column) const {
    return double(x[offsetsOf(kept, column).a + offsetsOf(summed, row).a]);
  }
};

struct MatrixElements {
  const float* x;
  int64_t columns;
  __device__ double operator()(int64_t row, int64_t column) const { return double(x[row * columns + column]); }
};

struct Partials {
  const double* partials;
  int64_t length;
  __device__ double operator()(int64_t row, int64_t i) const { return partials[row * length + i]; }
};

// Kernels

__global__ void addPartialRows(const double* partials, int64_t pieces, int64_t columns, double factor, float* out) {
  for (int64_t column = gridThread(); column < columns; column += gridThreads()) {
    double sum = 0;
    for (int64_t piece = 0; piece < pieces; ++piece) sum += partials[piece * columns + column];
    out[column] = float(factor * sum);
  }
}

}  // namespace

// Launchers

cudaError_t sumRows(const float* x, float* out, const Axes& kept, const Axes& summed, int64_t outputs, int64_t length,
                    double factor, double* scratch, cudaStream_t stream) {
  return launchRowSums(StridedRows{x, kept, summed}, outputs, length, factor, out, scratch, stream);
}

cudaError_t sumColumns(const float* x, float* out, const Axes& kept, const Axes& summed, int64_t outputs,
                       int64_t length, double factor, double* scratch, cudaStream_t stream) {
  return launchColumnSums(StridedColumns{x, kept, summed}, length, outputs, factor, out, scratch, stream);
}

cudaError_t sumOverRows(const float* x, float* out, int64_t rows, int64_t columns, double* scratch,
                        cudaStream_t stream) {
  return launchColumnSums(MatrixElements{x, columns}, rows, columns, 1.0, out, scratch, stream);
}

cudaError_t finishRowSums(const double* partials, int64_t rows, int64_t length, double factor, float* out,
                          double* scratch, cudaStream_t stream) {
  return launchRowSums(Partials{partials, length}, rows, length, factor, out, scratch, stream);
}

cudaError_t finishColumnSums(const double* partials, int64_t pieces, int64_t columns, double factor, float* out,
                             cudaStream_t stream) {
  return launch(addPartialRows, blocksFor(columns), kThreads, 0, stream, partials, pieces, columns, factor, out);
}

}  // namespace cudnn_gru::kernels
