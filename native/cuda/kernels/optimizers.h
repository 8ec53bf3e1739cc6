#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// One optimizer step over many tensors: ops/optimizers.h has the formulas. Whether the step is skipped and how the
// gradients are scaled is read by the GPU from `norm` [2] and `counts` [4].
namespace cudnn_gru::kernels {

constexpr int kMostTensors = 48;        // of one launch: what fits into a kernel's arguments
constexpr int64_t kTensorPiece = 4096;  // elements that one block handles at a time

// What belongs to one parameter. A state that the variant does not keep is null.
struct OptimizerTensor {
  float* parameter;
  float* gradient;
  float* states[3];
  int64_t count;
};

struct OptimizerTensors {
  int count;       // of tensors
  int64_t pieces;  // of all
  int64_t firstPiece[kMostTensors];
  OptimizerTensor tensors[kMostTensors];
};

// What an update does to a gradient before it is used: clamp(g * norm[1], ±clip) (clip: infinity for none), +
// weightDecay * p.
struct GradientUse {
  const float* norm;
  const int32_t* counts;
  float clip, weightDecay;
};

// average = rate * average + rest * value; `rest` is 1 - rate, rounded once
struct MovingAverage {
  float rate, rest;
};

struct SgdStep {
  float learningRate;
  MovingAverage velocity;  // momentum, and what the gradient is multiplied by after the first step
  bool nesterov;
};  // states: velocity
struct RmspropStep {
  float learningRate, epsilon, momentum;
  MovingAverage average;
};  // states: squares, averages, velocities
struct AdagradStep {
  double learningRate, learningRateDecay;
  float epsilon;
};  // states: squares
struct AdamStep {
  double learningRate, beta1, beta2;
  float parameterDecay;  // what the parameter is multiplied by first
  MovingAverage average, square;
  float epsilon;
};  // states: averages, squares, maxima

// The sums of squares of the gradients' pieces, one double each, and of which tensor a piece is part, counted from
// `firstTensor`.
cudaError_t squaredNorms(const OptimizerTensors& tensors, int firstTensor, double* sums, int32_t* tensorOf,
                         cudaStream_t stream);
// norm and counts as ops::GradientNorm says, from the sums of all `pieces`.
cudaError_t finishGradientNorm(const double* sums, const int32_t* tensorOf, int64_t pieces, double clipNorm,
                               float* norm, int32_t* counts, cudaStream_t stream);
// gradient = clamp(gradient * norm[1], ±clip)
cudaError_t clipGradients(const OptimizerTensors& tensors, const float* norm, float clip, cudaStream_t stream);

cudaError_t sgd(const OptimizerTensors& tensors, const GradientUse& use, const SgdStep& step, cudaStream_t stream);
cudaError_t rmsprop(const OptimizerTensors& tensors, const GradientUse& use, const RmspropStep& step,
                    cudaStream_t stream);
cudaError_t adagrad(const OptimizerTensors& tensors, const GradientUse& use, const AdagradStep& step,
                    cudaStream_t stream);
cudaError_t adam(const OptimizerTensors& tensors, const GradientUse& use, const AdamStep& step, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
