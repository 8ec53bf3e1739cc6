#include "cpu/simd/losses_kernels.h"
#include "cpu/simd/math.h"
#include "cpu/simd/vec.h"
#include "cpu/simd/vectors.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

// Losses of d = x - target and their slopes. NaN stays NaN.
struct SquaredError {
  CUDNN_GRU_INLINE Vec loss(Vec d, Vec) { return d * d; }
  CUDNN_GRU_INLINE Vec slope(Vec d, Vec) { return d + d; }
};
struct AbsoluteError {
  CUDNN_GRU_INLINE Vec loss(Vec d, Vec) { return abs(d); }
  CUDNN_GRU_INLINE Vec slope(Vec d, Vec) {
    return select(lessThan(zero(), d), broadcast(1.0f), select(lessThan(d, zero()), broadcast(-1.0f), d));
  }
};
struct HuberError {
  CUDNN_GRU_INLINE Vec loss(Vec d, Vec delta) {
    const Vec size = abs(d), half = broadcast(0.5f);
    return select(lessEqual(size, delta), half * d * d, delta * (size - half * delta));
  }
  CUDNN_GRU_INLINE Vec slope(Vec d, Vec delta) { return max(-delta, min(delta, d)); }
};

template <class Error>
static double runLoss(const float* x, const float* target, float delta, int64_t count, float* loss) {
  const Vec border = broadcast(delta);
  return sumOfVectors(count, loss,
                      [=](int64_t i, auto at) { return Error::loss(at.read(x + i) - at.read(target + i), border); });
}

// What the gradients are multiplied by: one number, or one an element.
struct LossGradient {
  const float* values;
  int64_t step;
  float factor;
  template <class At>
  CUDNN_GRU_INLINE_MEMBER Vec read(int64_t i, At at) const {
    return step == 0 ? broadcast(*values * factor) : at.read(values + i) * broadcast(factor);
  }
};

template <class Error>
static void runLossBackward(const float* x, const float* target, float delta, const float* lossGrad, int64_t step,
                            float factor, int64_t count, float* xGrad) {
  const Vec border = broadcast(delta);
  const LossGradient gradient{lossGrad, step, factor};
  forVectors(count, [=](int64_t i, auto at) {
    at.write(xGrad + i, Error::slope(at.read(x + i) - at.read(target + i), border) * gradient.read(i, at));
  });
}

// log(1 + e) for 0 <= e <= 1: log of the rounded sum, and what the rounding lost.
CUDNN_GRU_INLINE Vec log1p(Vec e) {
  const Vec sum = broadcast(1.0f) + e;
  return log(sum) + (e - (sum - broadcast(1.0f))) / sum;
}

// With p = positiveWeight: p y log(1 + e^-x) + (1 - y) log(1 + e^x). Both terms are positive, so nothing cancels.
static double runBinaryCrossEntropy(const float* logits, const float* target, const float* weight,
                                    const float* positiveWeight, int64_t count, float* loss) {
  const Vec one = broadcast(1.0f);
  return sumOfVectors(count, loss, [=](int64_t i, auto at) {
    const Vec x = at.read(logits + i), y = at.read(target + i);
    const Vec common = log1p(exp(-abs(x)));
    const Vec positive = positiveWeight ? y * at.read(positiveWeight + i) : y;
    const Vec value = positive * (common + max(zero(), -x)) + (one - y) * (common + max(zero(), x));
    return weight ? at.read(weight + i) * value : value;
  });
}

// (1 - y) σ(x) - p y σ(-x), both sigmoids to full relative precision
static void runBinaryCrossEntropyBackward(const float* logits, const float* target, const float* weight,
                                          const float* positiveWeight, const float* lossGrad, int64_t step,
                                          float factor, int64_t count, float* logitsGrad) {
  const Vec one = broadcast(1.0f);
  const LossGradient gradient{lossGrad, step, factor};
  forVectors(count, [=](int64_t i, auto at) {
    const Vec x = at.read(logits + i), y = at.read(target + i);
    const Vec e = exp(-abs(x)), large = one / (one + e), small = e * large;
    const Mask negative = lessThan(x, zero());
    const Vec positive = positiveWeight ? y * at.read(positiveWeight + i) : y;
    Vec grad = (one - y) * select(negative, small, large) - positive * select(negative, large, small);
    if (weight) grad = grad * at.read(weight + i);
    at.write(logitsGrad + i, grad * gradient.read(i, at));
  });
}

const LossesKernels& lossesTable() {
  static const LossesKernels table{
      runLoss<SquaredError>,         runLoss<AbsoluteError>,         runLoss<HuberError>,
      runLossBackward<SquaredError>, runLossBackward<AbsoluteError>, runLossBackward<HuberError>,
      runBinaryCrossEntropy,         runBinaryCrossEntropyBackward};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
