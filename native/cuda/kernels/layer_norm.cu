#include "cuda/kernels/layer_norm.h"
#include "cuda/kernels/sums.cuh"

namespace cudnn_gru::kernels {
namespace {

// Terms

struct WeightTerms {
  const float *x, *mean, *rstd, *yGrad;
  int64_t columns;
  __device__ double operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    return double(yGrad[i]) * double((x[i] - mean[row]) * rstd[row]);
  }
};

// Kernels: a team for each row.

template <int kSize>
__global__ void normaliseRows(const float* x, const float* weight, const float* bias, float* y, float* mean,
                              float* rstd, int64_t rows, int64_t columns, double epsilon) {
  const Team<kSize> team;
  for (int64_t row = team.index(); row < rows; row += team.count()) {
    const float* from = x + row * columns;
    double sum = 0;
    for (int64_t c = team.thread; c < columns; c += kSize) sum += double(from[c]);
    const double center = team.sum(sum) / double(columns);
    double squares = 0;
    for (int64_t c = team.thread; c < columns; c += kSize) {
      const double d = double(from[c]) - center;
      squares += d * d;
    }
    squares = team.sum(squares);
    // The mean in two parts: one float32 is too coarse for rows whose mean is far larger than their spread.
    const float m = float(center), rest = float(center - double(m));
    const float r = float(1 / ::sqrt(squares / double(columns) + epsilon));
    if (team.thread == 0) {
      mean[row] = m;
      rstd[row] = r;
    }
    for (int64_t c = team.thread; c < columns; c += kSize) {
      float out = (from[c] - m - rest) * r;
      if (weight) out = out * weight[c];
      if (bias) out = out + bias[c];
      y[row * columns + c] = out;
    }
  }
}

// With g = yGrad weight and n the normalised row: xGrad = rstd (g - mean(g) - n mean(g n))
template <int kSize>
__global__ void normaliseRowsBackward(const float* x, const float* weight, const float* mean, const float* rstd,
                                      const float* yGrad, float* xGrad, int64_t rows, int64_t columns) {
  const Team<kSize> team;
  for (int64_t row = team.index(); row < rows; row += team.count()) {
    const float *from = x + row * columns, *grad = yGrad + row * columns;
    const float m = mean[row], r = rstd[row];
    double sum = 0, dot = 0;
    for (int64_t c = team.thread; c < columns; c += kSize) {
      const float g = weight ? grad[c] * weight[c] : grad[c];
      sum += double(g);
      dot += double(g) * (double(from[c]) - double(m));
    }
    const float meanGrad = float(team.sum(sum) / double(columns));
    const float meanProduct = float(team.sum(dot) * double(r) / double(columns));
    for (int64_t c = team.thread; c < columns; c += kSize) {
      const float g = weight ? grad[c] * weight[c] : grad[c];
      const float normalised = (from[c] - m) * r;
      xGrad[row * columns + c] = fmaf(-normalised, meanProduct, g - meanGrad) * r;
    }
  }
}

}  // namespace

// Launchers

cudaError_t layerNorm(const float* x, const float* weight, const float* bias, float* y, float* mean, float* rstd,
                      int64_t rows, int64_t columns, double epsilon, cudaStream_t stream) {
  return launchRows(normaliseRows<kWarp>, normaliseRows<kThreads>, rows, columns, stream, x, weight, bias, y, mean,
                    rstd, rows, columns, epsilon);
}

cudaError_t layerNormBackward(const float* x, const float* weight, const float* mean, const float* rstd,
                              const float* yGrad, float* xGrad, int64_t rows, int64_t columns, cudaStream_t stream) {
  return launchRows(normaliseRowsBackward<kWarp>, normaliseRowsBackward<kThreads>, rows, columns, stream, x, weight,
                    mean, rstd, yGrad, xGrad, rows, columns);
}

cudaError_t layerNormWeightGrad(const float* x, const float* mean, const float* rstd, const float* yGrad,
                                float* weightGrad, int64_t rows, int64_t columns, double* scratch,
                                cudaStream_t stream) {
  return launchColumnSums(WeightTerms{x, mean, rstd, yGrad, columns}, rows, columns, 1.0, weightGrad, scratch, stream);
}

}  // namespace cudnn_gru::kernels
