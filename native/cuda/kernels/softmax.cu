#include "cuda/kernels/exponentials.cuh"
#include "cuda/kernels/softmax.h"

namespace cudnn_gru::kernels {
namespace {

// Kernels: a team for each row.

template <int kSize>
__global__ void softmaxRows(const float* x, float* y, int64_t rows, int64_t columns) {
  const Team<kSize> team;
  for (int64_t row = team.index(); row < rows; row += team.count()) {
    const float* from = x + row * columns;
    const float shift = largestOf(team, from, columns);
    const float factor = float(1 / sumOfExponentials(team, from, columns, shift));
    for (int64_t c = team.thread; c < columns; c += kSize) y[row * columns + c] = exponential(from[c] - shift) * factor;
  }
}

template <int kSize>
__global__ void logSoftmaxRows(const float* x, float* y, int64_t rows, int64_t columns) {
  const Team<kSize> team;
  for (int64_t row = team.index(); row < rows; row += team.count()) {
    const float* from = x + row * columns;
    const float shift = largestOf(team, from, columns);
    const float logSum = float(::log(sumOfExponentials(team, from, columns, shift)));
    for (int64_t c = team.thread; c < columns; c += kSize) y[row * columns + c] = from[c] - shift - logSum;
  }
}

template <int kSize>
__global__ void softmaxBackwardRows(const float* y, const float* yGrad, float* xGrad, int64_t rows, int64_t columns) {
  const Team<kSize> team;
  for (int64_t row = team.index(); row < rows; row += team.count()) {
    const int64_t first = row * columns + team.thread, last = (row + 1) * columns;
    double sum = 0;
    for (int64_t i = first; i < last; i += kSize) sum += double(y[i]) * double(yGrad[i]);
    const float dot = float(team.sum(sum));
    for (int64_t i = first; i < last; i += kSize) xGrad[i] = y[i] * (yGrad[i] - dot);
  }
}

template <int kSize>
__global__ void logSoftmaxBackwardRows(const float* y, const float* yGrad, float* xGrad, int64_t rows,
                                       int64_t columns) {
  const Team<kSize> team;
  for (int64_t row = team.index(); row < rows; row += team.count()) {
    const int64_t first = row * columns + team.thread, last = (row + 1) * columns;
    double sum = 0;
    for (int64_t i = first; i < last; i += kSize) sum += double(yGrad[i]);
    const float total = float(team.sum(sum));
    for (int64_t i = first; i < last; i += kSize) xGrad[i] = fmaf(-exponential(y[i]), total, yGrad[i]);
  }
}

}  // namespace

// Launchers

cudaError_t softmax(const float* x, float* y, int64_t rows, int64_t columns, cudaStream_t stream) {
  return launchRows(softmaxRows<kWarp>, softmaxRows<kThreads>, rows, columns, stream, x, y, rows, columns);
}

cudaError_t logSoftmax(const float* x, float* y, int64_t rows, int64_t columns, cudaStream_t stream) {
  return launchRows(logSoftmaxRows<kWarp>, logSoftmaxRows<kThreads>, rows, columns, stream, x, y, rows, columns);
}

cudaError_t softmaxBackward(const float* y, const float* yGrad, float* xGrad, int64_t rows, int64_t columns,
                            cudaStream_t stream) {
  return launchRows(softmaxBackwardRows<kWarp>, softmaxBackwardRows<kThreads>, rows, columns, stream, y, yGrad, xGrad,
                    rows, columns);
}

cudaError_t logSoftmaxBackward(const float* y, const float* yGrad, float* xGrad, int64_t rows, int64_t columns,
                               cudaStream_t stream) {
  return launchRows(logSoftmaxBackwardRows<kWarp>, logSoftmaxBackwardRows<kThreads>, rows, columns, stream, y, yGrad,
                    xGrad, rows, columns);
}

}  // namespace cudnn_gru::kernels
