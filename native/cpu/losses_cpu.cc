#include <algorithm>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/losses_kernels.h"

// Elementwise losses, reduced or not.
namespace cudnn_gru {
namespace {

bool isReduced(int64_t reduction) { return ops::Reduction(reduction) != ops::Reduction::kNone; }

// What the sum of `count` losses, and so each gradient, is multiplied by.
double factorOf(int64_t reduction, int64_t count) {
  return ops::Reduction(reduction) == ops::Reduction::kMean ? 1.0 / double(count) : 1.0;
}

void runLoss(ThreadTeam& team, const ops::RegressionLoss& operation, RegressionLossKernel kernel) {
  const float* x = operation.x.floats();
  const float* target = operation.target.floats();
  const float delta = float(operation.delta);
  float* loss = operation.loss.floats();
  const bool reduced = isReduced(operation.reduction);
  const double sum = sumOfPieces(team, operation.count, kSumPiece, kElementGrain, [=](int64_t begin, int64_t end) {
    return kernel(x + begin, target + begin, delta, end - begin, reduced ? nullptr : loss + begin);
  });
  if (reduced) *loss = float(sum * factorOf(operation.reduction, operation.count));
}

void runLossBackward(ThreadTeam& team, const ops::RegressionLossBackward& operation,
                     RegressionLossBackwardKernel kernel) {
  const float* x = operation.x.floats();
  const float* target = operation.target.floats();
  const float* lossGrad = operation.lossGrad.floats();
  const float delta = float(operation.delta);
  const float factor = float(factorOf(operation.reduction, operation.count));
  const int64_t step = isReduced(operation.reduction) ? 0 : 1;
  float* xGrad = operation.xGrad.floats();
  parallelRanges(team, operation.count, kElementGrain, [=](int64_t begin, int64_t end) {
    kernel(x + begin, target + begin, delta, lossGrad + begin * step, step, factor, end - begin, xGrad + begin);
  });
}

// Weights are repeated over the rows: with them a kernel sees one row at a time, without them any stretch of elements.
struct Weights {
  const float* weight;
  const float* positive;
  int64_t columns;

  template <class Operation>
  explicit Weights(const Operation& operation)
      : weight(operation.weight.floatsOrNull()),
        positive(operation.positiveWeight.floatsOrNull()),
        columns(operation.columns) {}

  // run(begin, count, weight, positive weight) over the stretches that make up begin..end
  template <class Run>
  void forStretches(int64_t begin, int64_t end, const Run& run) const {
    if (!weight && !positive) return run(begin, end - begin, nullptr, nullptr);
    while (begin < end) {
      const int64_t column = begin % columns, taken = std::min(columns - column, end - begin);
      run(begin, taken, weight ? weight + column : nullptr, positive ? positive + column : nullptr);
      begin += taken;
    }
  }
};

}  // namespace

void CpuDevice::mse(const ops::Mse& operation) { runLoss(team_, operation, lossesKernels().mse); }
void CpuDevice::mae(const ops::Mae& operation) { runLoss(team_, operation, lossesKernels().mae); }
void CpuDevice::huber(const ops::Huber& operation) { runLoss(team_, operation, lossesKernels().huber); }

void CpuDevice::mseBackward(const ops::MseBackward& operation) {
  runLossBackward(team_, operation, lossesKernels().mseBackward);
}
void CpuDevice::maeBackward(const ops::MaeBackward& operation) {
  runLossBackward(team_, operation, lossesKernels().maeBackward);
}
void CpuDevice::huberBackward(const ops::HuberBackward& operation) {
  runLossBackward(team_, operation, lossesKernels().huberBackward);
}

void CpuDevice::binaryCrossEntropy(const ops::BinaryCrossEntropy& operation) {
  const Weights weights(operation);
  const int64_t count = operation.rows * operation.columns;
  const float* logits = operation.logits.floats();
  const float* target = operation.target.floats();
  float* loss = operation.loss.floats();
  const bool reduced = isReduced(operation.reduction);
  const double sum = sumOfPieces(team_, count, kSumPiece, kElementGrain, [&](int64_t begin, int64_t end) {
    double pieceSum = 0;
    weights.forStretches(begin, end, [&](int64_t at, int64_t length, const float* weight, const float* positive) {
      pieceSum += lossesKernels().binaryCrossEntropy(logits + at, target + at, weight, positive, length,
                                                     reduced ? nullptr : loss + at);
    });
    return pieceSum;
  });
  if (reduced) *loss = float(sum * factorOf(operation.reduction, count));
}

void CpuDevice::binaryCrossEntropyBackward(const ops::BinaryCrossEntropyBackward& operation) {
  const Weights weights(operation);
  const int64_t count = operation.rows * operation.columns;
  const float* logits = operation.logits.floats();
  const float* target = operation.target.floats();
  const float* lossGrad = operation.lossGrad.floats();
  float* logitsGrad = operation.logitsGrad.floats();
  const float factor = float(factorOf(operation.reduction, count));
  const int64_t step = isReduced(operation.reduction) ? 0 : 1;
  parallelRanges(team_, count, kElementGrain, [&](int64_t begin, int64_t end) {
    weights.forStretches(begin, end, [&](int64_t at, int64_t length, const float* weight, const float* positive) {
      lossesKernels().binaryCrossEntropyBackward(logits + at, target + at, weight, positive, lossGrad + at * step, step,
                                                 factor, length, logitsGrad + at);
    });
  });
}

}  // namespace cudnn_gru
