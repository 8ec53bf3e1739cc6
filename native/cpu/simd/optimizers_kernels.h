#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

namespace cudnn_gru {

// What one update does to a gradient before it is used: clamp(g * scale, ±clip) (clip: infinity for none), +
// weightDecay * p.
struct GradientUse {
  float scale, clip, weightDecay;
};

// average = rate * average + rest * value. `rest` is 1 - rate, rounded once: 1 - float(0.999) is 0.005% off.
struct MovingAverage {
  float rate, rest;
};

struct SgdStep {
  GradientUse gradient;
  float learningRate;
  MovingAverage velocity;  // momentum, and what the gradient is multiplied by
  bool nesterov;
};
struct RmspropStep {
  GradientUse gradient;
  float learningRate, epsilon, momentum;
  MovingAverage average;  // of the squares, and of the gradients when centred
};
struct AdagradStep {
  GradientUse gradient;
  float learningRate, epsilon;  // the rate of this step
};
struct AdamStep {
  GradientUse gradient;
  float parameterDecay;  // what the parameter is multiplied by first
  MovingAverage average, square;
  float epsilon;
  float learningRate;    // over 1 - beta1^t
  float rootCorrection;  // 1 / sqrt(1 - beta2^t)
};

// Each updates `count` elements in place. A state that is null is not kept.
struct OptimizersKernels {
  double (*sumOfSquares)(const float* x, int64_t count);
  void (*clip)(float scale, float clip, float* gradient, int64_t count);
  void (*sgd)(const SgdStep& step, float* parameter, const float* gradient, float* velocity, int64_t count);
  void (*rmsprop)(const RmspropStep& step, float* parameter, const float* gradient, float* square, float* average,
                  float* velocity, int64_t count);
  void (*adagrad)(const AdagradStep& step, float* parameter, const float* gradient, float* square, int64_t count);
  void (*adam)(const AdamStep& step, float* parameter, const float* gradient, float* average, float* square,
               float* maximum, int64_t count);
};
CUDNN_GRU_KERNEL_TABLE(OptimizersKernels, optimizersTable, optimizersKernels)

}  // namespace cudnn_gru
