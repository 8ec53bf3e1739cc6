#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/reduce_kernels.h"
#include "cpu/simd/rows_kernels.h"

namespace cudnn_gru {
namespace {

// The targets, and which of them count. An ignoreIndex that is no int32 ignores nothing.
struct Targets {
  const int32_t* values;
  int64_t rows, classes;
  double ignoreIndex;

  bool ignored(int64_t row) const { return double(values[row]) == ignoreIndex; }

  void check() const {
    for (int64_t row = 0; row < rows; ++row)
      if (uint32_t(values[row]) >= uint64_t(classes) && !ignored(row))
        throw Error("ERR_INDEX_OUT_OF_RANGE", "crossEntropy: target " + std::to_string(values[row]) + " of row " +
                                                  std::to_string(row) + " is not one of the " +
                                                  std::to_string(classes) + " classes (0.." +
                                                  std::to_string(classes - 1) + ")");
  }
};

template <class Operation>
Targets checkedTargets(const Operation& operation) {
  const Targets targets{operation.target.ints(), operation.rows, operation.classes, operation.ignoreIndex};
  targets.check();
  return targets;
}

}  // namespace

void CpuDevice::crossEntropy(const ops::CrossEntropy& operation) {
  const Targets targets = checkedTargets(operation);
  const int64_t rows = operation.rows, classes = operation.classes;
  const float* logits = operation.logits.floats();
  const float* classWeights = operation.classWeights.floatsOrNull();
  float* logSumExp = operation.logSumExp.floats();
  std::vector<double> losses(rows);
  const auto kernel = rowsKernels().crossEntropy;
  parallelRanges(team_, rows, rowGrain(classes), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      logSumExp[row] = 0;
      if (targets.ignored(row)) continue;
      losses[row] = kernel(logits + row * classes, classes, targets.values[row], classWeights, operation.labelSmoothing,
                           logSumExp + row);
    }
  });

  double total = 0, totalWeight = 0;
  for (int64_t row = 0; row < rows; ++row) {
    if (targets.ignored(row)) continue;
    total += losses[row];
    totalWeight += classWeights ? double(classWeights[targets.values[row]]) : 1.0;
  }
  *operation.totalWeight.floats() = float(totalWeight);
  float* loss = operation.loss.floats();
  switch (ops::Reduction(operation.reduction)) {
    case ops::Reduction::kNone:
      std::transform(losses.begin(), losses.end(), loss, [](double value) { return float(value); });
      break;
    case ops::Reduction::kSum:
      *loss = float(total);
      break;
    case ops::Reduction::kMean:
      *loss = float(total / totalWeight);
      break;
  }
}

void CpuDevice::crossEntropyBackward(const ops::CrossEntropyBackward& operation) {
  const Targets targets = checkedTargets(operation);
  const int64_t rows = operation.rows, classes = operation.classes;
  const float* logits = operation.logits.floats();
  const float* classWeights = operation.classWeights.floatsOrNull();
  const double weightSum = classWeights ? reduceKernels().sum(classWeights, classes) : double(classes);
  const float* logSumExp = operation.logSumExp.floats();
  const float* lossGrad = operation.lossGrad.floats();
  float* logitsGrad = operation.logitsGrad.floats();
  const ops::Reduction reduction = ops::Reduction(operation.reduction);
  const double factor = reduction == ops::Reduction::kMean ? 1.0 / double(*operation.totalWeight.floats()) : 1.0;
  const int64_t step = reduction == ops::Reduction::kNone ? 1 : 0;
  const auto kernel = rowsKernels().crossEntropyBackward;
  parallelRanges(team_, rows, rowGrain(classes), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      if (targets.ignored(row))
        std::fill_n(logitsGrad + row * classes, classes, 0.0f);
      else
        kernel(logits + row * classes, classes, targets.values[row], classWeights, weightSum, operation.labelSmoothing,
               logSumExp[row], factor * double(lossGrad[row * step]), logitsGrad + row * classes);
    }
  });
}

}  // namespace cudnn_gru
