#include "cuda/kernels/math.cuh"
#include "cuda/kernels/optimizers.h"
#include "cuda/kernels/team.cuh"

namespace cudnn_gru::kernels {
namespace {

// Rules. prepare() computes what depends on the number of the step, from 1; a block does it once. update() then changes
// element i of a tensor; g is the gradient as it is to be used.

__device__ float moved(const MovingAverage& by, float average, float value) {
  return fmaf(by.rest, value, by.rate * average);
}

struct Sgd {
  SgdStep step;
  struct Prepared {
    bool first;
  };
  __device__ Prepared prepare(double t) const { return {t == 1}; }
  __device__ void update(const OptimizerTensor& tensor, int64_t i, float p, float g, const Prepared& prepared) const {
    if (float* velocity = tensor.states[0]) {
      // The first velocity is the gradient itself, whatever an earlier run left there.
      const MovingAverage by = {step.velocity.rate, prepared.first ? 1.0f : step.velocity.rest};
      const float v = moved(by, prepared.first ? 0.0f : velocity[i], g);
      velocity[i] = v;
      g = step.nesterov ? fmaf(step.velocity.rate, v, g) : v;
    }
    tensor.parameter[i] = fmaf(-step.learningRate, g, p);
  }
};

struct Rmsprop {
  RmspropStep step;
  struct Prepared {};
  __device__ Prepared prepare(double) const { return {}; }
  __device__ void update(const OptimizerTensor& tensor, int64_t i, float p, float g, const Prepared&) const {
    float variance = moved(step.average, tensor.states[0][i], g * g);
    tensor.states[0][i] = variance;
    if (float* average = tensor.states[1]) {
      const float m = moved(step.average, average[i], g);
      average[i] = m;
      variance = larger(0.0f, fmaf(-m, m, variance));  // never negative but for rounding
    }
    float change = g / (sqrtf(variance) + step.epsilon);
    if (float* velocity = tensor.states[2]) {
      change = fmaf(step.momentum, velocity[i], change);
      velocity[i] = change;
    }
    tensor.parameter[i] = fmaf(-step.learningRate, change, p);
  }
};

struct Adagrad {
  AdagradStep step;
  struct Prepared {
    float learningRate;
  };
  __device__ Prepared prepare(double t) const {
    return {float(step.learningRate / (1 + (t - 1) * step.learningRateDecay))};
  }
  __device__ void update(const OptimizerTensor& tensor, int64_t i, float p, float g, const Prepared& prepared) const {
    const float sum = fmaf(g, g, tensor.states[0][i]);
    tensor.states[0][i] = sum;
    tensor.parameter[i] = fmaf(-prepared.learningRate, g / (sqrtf(sum) + step.epsilon), p);
  }
};

struct Adam {
  AdamStep step;
  struct Prepared {
    float learningRate, rootCorrection;
  };
  __device__ Prepared prepare(double t) const {
    return {float(step.learningRate / (1 - ::pow(step.beta1, t))), float(1 / ::sqrt(1 - ::pow(step.beta2, t)))};
  }
  __device__ void update(const OptimizerTensor& tensor, int64_t i, float p, float g, const Prepared& prepared) const {
    const float m = moved(step.average, tensor.states[0][i], g);
    float variance = moved(step.square, tensor.states[1][i], g * g);
    tensor.states[0][i] = m;
    tensor.states[1][i] = variance;
    if (float* maximum = tensor.states[2]) {
      variance = larger(maximum[i], variance);
      maximum[i] = variance;
    }
    const float root = fmaf(sqrtf(variance), prepared.rootCorrection, step.epsilon);
    tensor.parameter[i] = fmaf(-prepared.learningRate, m / root, p);
  }
};

// What the rule starts from: only Adam may shrink the parameter first.
template <class Rule>
__device__ float startOf(const Rule&, float p) {
  return p;
}
__device__ float startOf(const Adam& rule, float p) { return p * rule.step.parameterDecay; }

// Kernels

// Which tensor a piece belongs to; the same for the whole block.
__device__ int tensorOfPiece(const OptimizerTensors& tensors, int64_t piece) {
  int first = 0, last = tensors.count - 1;
  while (first < last) {
    const int middle = (first + last + 1) / 2;
    if (tensors.firstPiece[middle] <= piece)
      first = middle;
    else
      last = middle - 1;
  }
  return first;
}

// work(tensor's number, element) for this thread's elements of a piece
template <class Work>
__device__ void forElements(const OptimizerTensors& tensors, int64_t piece, const Work& work) {
  const int number = tensorOfPiece(tensors, piece);
  const int64_t first = (piece - tensors.firstPiece[number]) * kTensorPiece;
  const int64_t count = tensors.tensors[number].count;
  const int64_t last = first + kTensorPiece < count ? first + kTensorPiece : count;
  for (int64_t i = first + threadIdx.x; i < last; i += kThreads) work(number, i);
}

__device__ float clamped(float x, float limit) { return larger(-limit, smaller(limit, x)); }

__global__ void sumSquares(OptimizerTensors tensors, int firstTensor, double* sums, int32_t* tensorOf) {
  const Team<kThreads> block;
  for (int64_t piece = blockIdx.x; piece < tensors.pieces; piece += gridDim.x) {
    double sum = 0;
    forElements(tensors, piece, [&](int number, int64_t i) {
      const double g = double(tensors.tensors[number].gradient[i]);
      sum += g * g;
    });
    sum = block.sum(sum);
    if (block.thread > 0) continue;
    sums[piece] = sum;
    tensorOf[piece] = firstTensor + tensorOfPiece(tensors, piece);
  }
}

// One block. The square of a finite float32 is finite in float64, so a sum that is not has met a NaN or an infinity.
__global__ void finishNorm(const double* sums, const int32_t* tensorOf, int64_t pieces, double clipNorm, float* norm,
                           int32_t* counts) {
  constexpr int kNone = INT32_MAX;
  int* bad = sharedMemory<int>() + kTeamShared / sizeof(int);
  const Team<kThreads> block;
  if (block.thread == 0) *bad = kNone;
  __syncthreads();
  double total = 0;
  for (int64_t i = block.thread; i < pieces; i += kThreads) {
    total += sums[i];
    if (!(sums[i] < INFINITY)) atomicMin(bad, tensorOf[i]);
  }
  total = block.sum(total);  // waits for everyone's atomicMin too
  if (block.thread > 0) return;
  const double value = ::sqrt(total);
  const double factor = clipNorm > 0 ? clipNorm / (value + 1e-6) : 1.0;
  norm[0] = float(value);
  norm[1] = float(factor > 1 ? 1.0 : factor);
  const bool skipped = *bad != kNone;
  ++counts[skipped ? 1 : 0];
  counts[2] = skipped ? *bad : -1;
  counts[3] = skipped ? 1 : 0;
}

__global__ void clipElements(OptimizerTensors tensors, const float* norm, float clip) {
  const float scale = norm ? norm[1] : 1.0f;
  for (int64_t piece = blockIdx.x; piece < tensors.pieces; piece += gridDim.x)
    forElements(tensors, piece, [&](int number, int64_t i) {
      float* gradient = tensors.tensors[number].gradient;
      gradient[i] = clamped(gradient[i] * scale, clip);
    });
}

template <class Rule>
__global__ void updateElements(OptimizerTensors tensors, GradientUse use, Rule rule) {
  using Prepared = typename Rule::Prepared;
  if (use.counts[3] == 1) return;
  Prepared* prepared = sharedMemory<Prepared>();
  if (threadIdx.x == 0) *prepared = rule.prepare(double(use.counts[0]));
  __syncthreads();
  const float scale = use.norm[1];
  for (int64_t piece = blockIdx.x; piece < tensors.pieces; piece += gridDim.x)
    forElements(tensors, piece, [&](int number, int64_t i) {
      const OptimizerTensor& tensor = tensors.tensors[number];
      const float p = startOf(rule, tensor.parameter[i]);
      const float g = fmaf(use.weightDecay, p, clamped(tensor.gradient[i] * scale, use.clip));
      rule.update(tensor, i, p, g, *prepared);
    });
}

unsigned blocksForPieces(const OptimizerTensors& tensors) {
  return unsigned(tensors.pieces < kMostBlocks ? tensors.pieces : kMostBlocks);
}

template <class Rule>
cudaError_t launchUpdate(const OptimizerTensors& tensors, const GradientUse& use, const Rule& rule,
                         cudaStream_t stream) {
  return launch(updateElements<Rule>, blocksForPieces(tensors), kThreads, sizeof(typename Rule::Prepared), stream,
                tensors, use, rule);
}

}  // namespace

// Launchers

cudaError_t squaredNorms(const OptimizerTensors& tensors, int firstTensor, double* sums, int32_t* tensorOf,
                         cudaStream_t stream) {
  return launch(sumSquares, blocksForPieces(tensors), kThreads, kTeamShared, stream, tensors, firstTensor, sums,
                tensorOf);
}

cudaError_t finishGradientNorm(const double* sums, const int32_t* tensorOf, int64_t pieces, double clipNorm,
                               float* norm, int32_t* counts, cudaStream_t stream) {
  return launch(finishNorm, 1, kThreads, kTeamShared + sizeof(int), stream, sums, tensorOf, pieces, clipNorm, norm,
                counts);
}

cudaError_t clipGradients(const OptimizerTensors& tensors, const float* norm, float clip, cudaStream_t stream) {
  return launch(clipElements, blocksForPieces(tensors), kThreads, 0, stream, tensors, norm, clip);
}

cudaError_t sgd(const OptimizerTensors& tensors, const GradientUse& use, const SgdStep& step, cudaStream_t stream) {
  return launchUpdate(tensors, use, Sgd{step}, stream);
}

cudaError_t rmsprop(const OptimizerTensors& tensors, const GradientUse& use, const RmspropStep& step,
                    cudaStream_t stream) {
  return launchUpdate(tensors, use, Rmsprop{step}, stream);
}

cudaError_t adagrad(const OptimizerTensors& tensors, const GradientUse& use, const AdagradStep& step,
                    cudaStream_t stream) {
  return launchUpdate(tensors, use, Adagrad{step}, stream);
}

cudaError_t adam(const OptimizerTensors& tensors, const GradientUse& use, const AdamStep& step, cudaStream_t stream) {
  return launchUpdate(tensors, use, Adam{step}, stream);
}

}  // namespace cudnn_gru::kernels
