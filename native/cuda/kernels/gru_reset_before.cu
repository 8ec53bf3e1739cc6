#include "cuda/kernels/gru_reset_before.h"
#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/math.cuh"

namespace cudnn_gru::kernels {
namespace {

// Where a thread's unit stands. `at` counts rows of [time, batch].
struct Place {
  int64_t row, unit, at;
  bool resting;
};

__device__ Place placeOf(const GruStep& step, int64_t index) {
  const int64_t row = index / step.hiddenSize, length = step.lengths ? step.lengths[row] : step.time;
  const int64_t time = step.reversed ? length - 1 - step.step : step.step;
  return {row, index % step.hiddenSize, time * step.batch + row, step.step >= length};
}

// Kernels: a thread for each unit of each row.

__global__ void computeGates(GruStep step, GruGates arrays) {
  const int64_t h = step.hiddenSize, count = step.batch * h;
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const Place p = placeOf(step, i);
    if (p.resting) {
      arrays.z[i] = 0.0f;
      arrays.resetState[i] = 0.0f;
      continue;
    }
    const float* input = arrays.input + p.at * 3 * h + p.unit;
    const float* recurrent = arrays.recurrent + p.row * 2 * h + p.unit;
    const float biasR = arrays.bias ? arrays.bias[p.unit] : 0.0f, biasZ = arrays.bias ? arrays.bias[h + p.unit] : 0.0f;
    const float r = logistic(input[0] + (recurrent[0] + biasR)), z = logistic(input[h] + (recurrent[h] + biasZ));
    const float state = arrays.state[i], resetState = r * state;
    arrays.z[i] = z;
    arrays.resetState[i] = resetState;
    if (!arrays.gates) continue;
    float* gates = arrays.gates + p.at * 3 * h + p.unit;
    gates[0] = r;
    gates[h] = z;
    arrays.stateBefore[p.at * h + p.unit] = state;
    arrays.resetStates[p.at * h + p.unit] = resetState;
  }
}

__global__ void computeCandidate(GruStep step, GruCandidate arrays) {
  const int64_t h = step.hiddenSize, count = step.batch * h;
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const Place p = placeOf(step, i);
    if (p.resting) continue;
    const float bias = arrays.bias ? arrays.bias[2 * h + p.unit] : 0.0f;
    const float n = hyperbolicTangent(arrays.input[p.at * 3 * h + 2 * h + p.unit] + (arrays.recurrent[i] + bias));
    const float z = arrays.z[i], state = fmaf(z, arrays.state[i] - n, n);
    arrays.state[i] = state;
    arrays.output[p.at * arrays.outputStride + p.unit] = state;
    if (arrays.gates) arrays.gates[p.at * 3 * h + 2 * h + p.unit] = n;
  }
}

__global__ void computeCandidateGradient(GruStep step, GruCandidateGradient arrays) {
  const int64_t h = step.hiddenSize, count = step.batch * h;
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const Place p = placeOf(step, i);
    float grad = arrays.carry[i];
    if (arrays.recurrent) grad += arrays.recurrent[i];
    float* gateGrad = arrays.gateGrads + p.row * 2 * h + h + p.unit;
    if (p.resting) {
      arrays.carry[i] = grad;
      arrays.candidateGrad[i] = 0.0f;
      *gateGrad = 0.0f;
      continue;
    }
    if (arrays.outputGrad) grad += arrays.outputGrad[p.at * arrays.outputStride + p.unit];
    const float* gates = arrays.gates + p.at * 3 * h + p.unit;
    const float z = gates[h], n = gates[2 * h];
    const float candidateGrad = grad * (1.0f - z) * (1.0f - n * n);
    const float zGrad = grad * (arrays.stateBefore[p.at * h + p.unit] - n) * z * (1.0f - z);
    arrays.carry[i] = grad * z;
    arrays.candidateGrad[i] = candidateGrad;
    *gateGrad = zGrad;
    arrays.grads[p.at * 3 * h + h + p.unit] = zGrad;
    arrays.grads[p.at * 3 * h + 2 * h + p.unit] = candidateGrad;
    arrays.candidateGrads[p.at * h + p.unit] = candidateGrad;
  }
}

__global__ void computeResetGradient(GruStep step, GruResetGradient arrays) {
  const int64_t h = step.hiddenSize, count = step.batch * h;
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const Place p = placeOf(step, i);
    float* gateGrad = arrays.gateGrads + p.row * 2 * h + p.unit;
    if (p.resting) {
      *gateGrad = 0.0f;
      continue;
    }
    const float r = arrays.gates[p.at * 3 * h + p.unit], grad = arrays.resetStateGrad[i];
    const float rGrad = grad * arrays.stateBefore[p.at * h + p.unit] * r * (1.0f - r);
    arrays.carry[i] = fmaf(grad, r, arrays.carry[i]);
    *gateGrad = rGrad;
    arrays.grads[p.at * 3 * h + p.unit] = rGrad;
  }
}

__global__ void copyUnlessEnded(const float* from, float* to, const int32_t* lengths, int64_t count, int64_t batch,
                                int64_t features) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const int64_t at = i / features;
    to[i] = at / batch < lengths[at % batch] ? from[i] : 0.0f;
  }
}

unsigned blocksOf(const GruStep& step) { return blocksFor(step.batch * step.hiddenSize); }

}  // namespace

// Launchers

cudaError_t gruGates(const GruStep& step, const GruGates& arrays, cudaStream_t stream) {
  return launch(computeGates, blocksOf(step), kThreads, 0, stream, step, arrays);
}

cudaError_t gruCandidate(const GruStep& step, const GruCandidate& arrays, cudaStream_t stream) {
  return launch(computeCandidate, blocksOf(step), kThreads, 0, stream, step, arrays);
}

cudaError_t gruCandidateGradient(const GruStep& step, const GruCandidateGradient& arrays, cudaStream_t stream) {
  return launch(computeCandidateGradient, blocksOf(step), kThreads, 0, stream, step, arrays);
}

cudaError_t gruResetGradient(const GruStep& step, const GruResetGradient& arrays, cudaStream_t stream) {
  return launch(computeResetGradient, blocksOf(step), kThreads, 0, stream, step, arrays);
}

cudaError_t gruClearPadding(const float* from, float* to, const int32_t* lengths, int64_t time, int64_t batch,
                            int64_t features, cudaStream_t stream) {
  const int64_t count = time * batch * features;
  return launch(copyUnlessEnded, blocksFor(count), kThreads, 0, stream, from, to, lengths, count, batch, features);
}

}  // namespace cudnn_gru::kernels
