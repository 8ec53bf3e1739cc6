#include "cpu/simd/optimizers_kernels.h"
#include "cpu/simd/vec.h"
#include "cpu/simd/vectors.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

static double runSumOfSquares(const float* x, int64_t count) {
  return sumOfTerms(count, [=](int64_t i) { return double(x[i]) * double(x[i]); });
}

CUDNN_GRU_INLINE Vec clamped(Vec x, float limit) { return max(broadcast(-limit), min(broadcast(limit), x)); }

static void runClip(float scale, float clip, float* gradient, int64_t count) {
  forVectors(count, [=](int64_t i, auto at) {
    at.write(gradient + i, clamped(at.read(gradient + i) * broadcast(scale), clip));
  });
}

CUDNN_GRU_INLINE Vec used(const GradientUse& use, Vec gradient, Vec parameter) {
  return fma(broadcast(use.weightDecay), parameter, clamped(gradient * broadcast(use.scale), use.clip));
}

CUDNN_GRU_INLINE Vec moved(const MovingAverage& by, Vec average, Vec value) {
  return fma(broadcast(by.rest), value, broadcast(by.rate) * average);
}

static void runSgd(const SgdStep& s, float* parameter, const float* gradient, float* velocity, int64_t count) {
  const SgdStep step = s;
  forVectors(count, [=](int64_t i, auto at) {
    const Vec p = at.read(parameter + i);
    Vec g = used(step.gradient, at.read(gradient + i), p);
    if (velocity) {
      const Vec v = moved(step.velocity, at.read(velocity + i), g);
      at.write(velocity + i, v);
      g = step.nesterov ? fma(broadcast(step.velocity.rate), v, g) : v;
    }
    at.write(parameter + i, fnma(broadcast(step.learningRate), g, p));
  });
}

static void runRmsprop(const RmspropStep& s, float* parameter, const float* gradient, float* square, float* average,
                       float* velocity, int64_t count) {
  const RmspropStep step = s;
  forVectors(count, [=](int64_t i, auto at) {
    const Vec p = at.read(parameter + i);
    const Vec g = used(step.gradient, at.read(gradient + i), p);
    Vec variance = moved(step.average, at.read(square + i), g * g);
    at.write(square + i, variance);
    if (average) {
      const Vec m = moved(step.average, at.read(average + i), g);
      at.write(average + i, m);
      variance = max(zero(), fnma(m, m, variance));  // never negative but for rounding
    }
    Vec change = g / (sqrt(variance) + broadcast(step.epsilon));
    if (velocity) {
      change = fma(broadcast(step.momentum), at.read(velocity + i), change);
      at.write(velocity + i, change);
    }
    at.write(parameter + i, fnma(broadcast(step.learningRate), change, p));
  });
}

static void runAdagrad(const AdagradStep& s, float* parameter, const float* gradient, float* square, int64_t count) {
  const AdagradStep step = s;
  forVectors(count, [=](int64_t i, auto at) {
    const Vec p = at.read(parameter + i);
    const Vec g = used(step.gradient, at.read(gradient + i), p);
    const Vec sum = fma(g, g, at.read(square + i));
    at.write(square + i, sum);
    at.write(parameter + i, fnma(broadcast(step.learningRate), g / (sqrt(sum) + broadcast(step.epsilon)), p));
  });
}

static void runAdam(const AdamStep& s, float* parameter, const float* gradient, float* average, float* square,
                    float* maximum, int64_t count) {
  const AdamStep step = s;
  forVectors(count, [=](int64_t i, auto at) {
    const Vec p = at.read(parameter + i) * broadcast(step.parameterDecay);
    const Vec g = used(step.gradient, at.read(gradient + i), p);
    const Vec m = moved(step.average, at.read(average + i), g);
    Vec variance = moved(step.square, at.read(square + i), g * g);
    at.write(average + i, m);
    at.write(square + i, variance);
    if (maximum) {
      variance = max(at.read(maximum + i), variance);
      at.write(maximum + i, variance);
    }
    const Vec root = fma(sqrt(variance), broadcast(step.rootCorrection), broadcast(step.epsilon));
    at.write(parameter + i, fnma(broadcast(step.learningRate), m / root, p));
  });
}

const OptimizersKernels& optimizersTable() {
  static const OptimizersKernels table{runSumOfSquares, runClip, runSgd, runRmsprop, runAdagrad, runAdam};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
