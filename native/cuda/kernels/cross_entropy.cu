#include "cuda/kernels/cross_entropy.h"
#include "cuda/kernels/exponentials.cuh"
#include "cuda/kernels/index_check.cuh"

namespace cudnn_gru::kernels {
namespace {

// Kernels: a team for each row. cpu/simd/rows.cc tells why the formulas are written so.

__device__ bool isIgnored(const CrossEntropyRows& of, int64_t row) { return double(of.target[row]) == of.ignoreIndex; }

__device__ bool isClass(const CrossEntropyRows& of, int64_t row) {
  return checkIndex(of.target[row], of.classes, row, IndexFault::kCrossEntropyTarget, of.fault);
}

__device__ double weightOf(const CrossEntropyRows& of, int64_t c) {
  return of.classWeights ? double(of.classWeights[c]) : 1.0;
}

// The loss of one row, and its log-sum-exp.
template <int kSize>
__device__ double lossOfRow(const Team<kSize>& team, const CrossEntropyRows& of, int64_t row, float* logSumExp) {
  const float* logits = of.logits + row * of.classes;
  const int64_t target = of.target[row];
  const float most = largestOf(team, logits, of.classes);
  const double logSum = ::log(sumOfExponentials(team, logits, of.classes, most));
  *logSumExp = float(double(most) + logSum);
  const double targetLog = double(logits[target]) - double(most) - logSum;
  double loss = -(1 - of.labelSmoothing) * weightOf(of, target) * targetLog;
  if (of.labelSmoothing > 0) {
    double total = 0;
    for (int64_t c = team.thread; c < of.classes; c += kSize)
      total += weightOf(of, c) * (double(logits[c]) - double(most) - logSum);
    loss -= of.labelSmoothing / double(of.classes) * team.sum(total);
  }
  return loss;
}

// partials [2 * blocks]: each block's sum of losses and of weights
template <int kSize>
__global__ void crossEntropyRows(CrossEntropyRows of, float* lossOfRows, float* logSumExp, double* partials) {
  const Team<kSize> team;
  double losses = 0, weights = 0;  // of the first thread of each team
  for (int64_t row = team.index(); row < of.rows; row += team.count()) {
    float shift = 0;
    double loss = 0, weight = 0;
    if (!isIgnored(of, row)) {
      const bool known = isClass(of, row);
      loss = known ? lossOfRow(team, of, row, &shift) : NAN;
      weight = known ? weightOf(of, of.target[row]) : 0;
    }
    if (team.thread != 0) continue;
    logSumExp[row] = shift;
    if (lossOfRows) lossOfRows[row] = float(loss);
    losses += loss;
    weights += weight;
  }
  const Team<kThreads> block;
  losses = block.sum(losses);
  weights = block.sum(weights);
  if (block.thread > 0) return;
  partials[2 * blockIdx.x] = losses;
  partials[2 * blockIdx.x + 1] = weights;
}

// One block.
__global__ void finishCrossEntropy(const double* partials, int64_t blocks, bool mean, float* loss, float* totalWeight) {
  const Team<kThreads> block;
  double losses = 0, weights = 0;
  for (int64_t i = block.thread; i < blocks; i += kThreads) {
    losses += partials[2 * i];
    weights += partials[2 * i + 1];
  }
  losses = block.sum(losses);
  weights = block.sum(weights);
  if (block.thread > 0) return;
  *totalWeight = float(weights);
  if (loss) *loss = float(mean ? losses / weights : losses);
}

template <int kSize>
__global__ void crossEntropyBackwardRows(CrossEntropyRows of, bool reduced, bool mean, const float* logSumExp,
                                         const float* totalWeight, const float* lossGrad, float* logitsGrad) {
  const Team<kSize> team;
  double weightSum = double(of.classes);
  if (of.classWeights) {
    double sum = 0;
    for (int64_t c = team.thread; c < of.classes; c += kSize) sum += double(of.classWeights[c]);
    weightSum = team.sum(sum);
  }
  const double each = of.labelSmoothing / double(of.classes);
  const double factor = mean ? 1.0 / double(*totalWeight) : 1.0;
  for (int64_t row = team.index(); row < of.rows; row += team.count()) {
    const float* logits = of.logits + row * of.classes;
    float* grad = logitsGrad + row * of.classes;
    const bool ignored = isIgnored(of, row);
    if (ignored || !isClass(of, row)) {
      for (int64_t c = team.thread; c < of.classes; c += kSize) grad[c] = ignored ? 0.0f : NAN;
      continue;
    }
    const int64_t target = of.target[row];
    const double upstream = factor * double(lossGrad[reduced ? 0 : row]);
    const double weight = (1 - of.labelSmoothing) * weightOf(of, target);
    const double total = sumOfExponentials(team, logits, of.classes, logSumExp[row]);
    const float toGrad = float(upstream * (weight + each * weightSum) / total), smoothing = float(upstream * each);
    for (int64_t c = team.thread; c < of.classes; c += kSize) {
      const float exponent = exponential(logits[c] - logSumExp[row]);
      float value = exponent * toGrad;
      if (of.labelSmoothing > 0) value -= of.classWeights ? smoothing * of.classWeights[c] : smoothing;
      if (c == target) {
        const double ofTarget = double(exponent);
        value =
            float(upstream *
                  (weight * (ofTarget - total) + each * (weightSum * ofTarget - weightOf(of, target) * total)) / total);
      }
      grad[c] = value;
    }
  }
}

int64_t blocksOf(int64_t rows, int64_t classes) {
  return blocksFor(rows * (classes <= kWarpColumns ? kWarp : kThreads));
}

}  // namespace

// Launchers

int64_t crossEntropyScratch(int64_t rows, int64_t classes) { return 2 * blocksOf(rows, classes); }

cudaError_t crossEntropy(const CrossEntropyRows& rows, bool reduced, bool mean, float* loss, float* logSumExp,
                         float* totalWeight, double* scratch, cudaStream_t stream) {
  const cudaError_t status = launchRows(crossEntropyRows<kWarp>, crossEntropyRows<kThreads>, rows.rows, rows.classes,
                                        stream, rows, reduced ? nullptr : loss, logSumExp, scratch);
  if (status != cudaSuccess) return status;
  return launch(finishCrossEntropy, 1, kThreads, kTeamShared, stream, scratch, blocksOf(rows.rows, rows.classes), mean,
                reduced ? loss : nullptr, totalWeight);
}

cudaError_t crossEntropyBackward(const CrossEntropyRows& rows, bool reduced, bool mean, const float* logSumExp,
                                 const float* totalWeight, const float* lossGrad, float* logitsGrad,
                                 cudaStream_t stream) {
  return launchRows(crossEntropyBackwardRows<kWarp>, crossEntropyBackwardRows<kThreads>, rows.rows, rows.classes,
                    stream, rows, reduced, mean, logSumExp, totalWeight, lossGrad, logitsGrad);
}

}  // namespace cudnn_gru::kernels
