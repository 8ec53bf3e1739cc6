#include "cuda/kernels/losses.h"
#include "cuda/kernels/math.cuh"
#include "cuda/kernels/sums.cuh"

namespace cudnn_gru::kernels {
namespace {

// Losses of an element and their slopes, by its number. NaN stays NaN.

struct Regression {
  RegressionElements of;
  __device__ float difference(int64_t i) const { return of.x[i] - of.target[i]; }
  __device__ float loss(int64_t i) const {
    const float d = difference(i), size = fabsf(d);
    switch (of.loss) {
      case RegressionLoss::kSquared:
        return d * d;
      case RegressionLoss::kAbsolute:
        return size;
      default:
        return size <= of.delta ? 0.5f * d * d : of.delta * (size - 0.5f * of.delta);
    }
  }
  __device__ float slope(int64_t i) const {
    const float d = difference(i);
    switch (of.loss) {
      case RegressionLoss::kSquared:
        return d + d;
      case RegressionLoss::kAbsolute:
        return d > 0 ? 1.0f : d < 0 ? -1.0f : d;
      default:
        return larger(-of.delta, smaller(of.delta, d));
    }
  }
};

// log(1 + e) for 0 <= e <= 1: log of the rounded sum, and what the rounding lost.
__device__ float logOfOnePlus(float e) {
  const float sum = 1.0f + e;
  return naturalLogarithm(sum) + (e - (sum - 1.0f)) / sum;
}

// As cpu/simd/losses.cc: with p = positiveWeight, p y log(1 + e^-x) + (1 - y) log(1 + e^x).
struct Binary {
  BinaryElements of;
  __device__ float positive(int64_t i) const {
    return of.positiveWeight ? of.target[i] * of.positiveWeight[i % of.columns] : of.target[i];
  }
  __device__ float weighted(int64_t i, float value) const {
    return of.weight ? of.weight[i % of.columns] * value : value;
  }
  __device__ float loss(int64_t i) const {
    const float x = of.logits[i], y = of.target[i];
    const float common = logOfOnePlus(exponential(-fabsf(x)));
    return weighted(i, positive(i) * (common + larger(0.0f, -x)) + (1.0f - y) * (common + larger(0.0f, x)));
  }
  __device__ float slope(int64_t i) const {
    const float x = of.logits[i], y = of.target[i];
    const float e = exponential(-fabsf(x)), most = 1.0f / (1.0f + e), least = e * most;
    return weighted(i, (1.0f - y) * (x < 0 ? least : most) - positive(i) * (x < 0 ? most : least));
  }
};

// Kernels

template <class Elements>
__global__ void writeLosses(Elements elements, float* losses) {
  for (int64_t i = gridThread(); i < elements.of.count; i += gridThreads()) losses[i] = elements.loss(i);
}

template <class Elements>
__global__ void writeGradients(Elements elements, LossGrad lossGrad, float* grad) {
  for (int64_t i = gridThread(); i < elements.of.count; i += gridThreads())
    grad[i] = elements.slope(i) * (lossGrad.values[lossGrad.reduced ? 0 : i] * lossGrad.factor);
}

template <class Elements>
struct LossTerms {
  Elements elements;
  __device__ double operator()(int64_t, int64_t i) const { return double(elements.loss(i)); }
};

template <class Elements>
cudaError_t launchLosses(const Elements& elements, float* losses, cudaStream_t stream) {
  return launch(writeLosses<Elements>, blocksFor(elements.of.count), kThreads, 0, stream, elements, losses);
}

template <class Elements>
cudaError_t launchSum(const Elements& elements, double factor, float* loss, double* scratch, cudaStream_t stream) {
  return launchRowSums(LossTerms<Elements>{elements}, 1, elements.of.count, factor, loss, scratch, stream);
}

template <class Elements>
cudaError_t launchBackward(const Elements& elements, const LossGrad& lossGrad, float* grad, cudaStream_t stream) {
  return launch(writeGradients<Elements>, blocksFor(elements.of.count), kThreads, 0, stream, elements, lossGrad, grad);
}

}  // namespace

// Launchers

cudaError_t regressionLosses(const RegressionElements& elements, float* losses, cudaStream_t stream) {
  return launchLosses(Regression{elements}, losses, stream);
}

cudaError_t regressionLossSum(const RegressionElements& elements, double factor, float* loss, double* scratch,
                              cudaStream_t stream) {
  return launchSum(Regression{elements}, factor, loss, scratch, stream);
}

cudaError_t regressionLossBackward(const RegressionElements& elements, const LossGrad& lossGrad, float* xGrad,
                                   cudaStream_t stream) {
  return launchBackward(Regression{elements}, lossGrad, xGrad, stream);
}

cudaError_t binaryCrossEntropies(const BinaryElements& elements, float* losses, cudaStream_t stream) {
  return launchLosses(Binary{elements}, losses, stream);
}

cudaError_t binaryCrossEntropySum(const BinaryElements& elements, double factor, float* loss, double* scratch,
                                  cudaStream_t stream) {
  return launchSum(Binary{elements}, factor, loss, scratch, stream);
}

cudaError_t binaryCrossEntropyBackward(const BinaryElements& elements, const LossGrad& lossGrad, float* logitsGrad,
                                       cudaStream_t stream) {
  return launchBackward(Binary{elements}, lossGrad, logitsGrad, stream);
}

}  // namespace cudnn_gru::kernels
