#include "cuda/cuda_device.h"
#include "cuda/kernels/cross_entropy.h"
#include "device/scratch.h"

namespace cudnn_gru {
namespace {

template <class Operation>
kernels::CrossEntropyRows rowsOf(const Operation& operation, IndexFault* fault) {
  return {operation.logits.floats(),
          operation.target.ints(),
          operation.classWeights.floatsOrNull(),
          operation.rows,
          operation.classes,
          operation.ignoreIndex,
          operation.labelSmoothing,
          fault};
}

bool isReduced(int64_t reduction) { return ops::Reduction(reduction) != ops::Reduction::kNone; }
bool isMean(int64_t reduction) { return ops::Reduction(reduction) == ops::Reduction::kMean; }

}  // namespace

void CudaDevice::crossEntropy(const ops::CrossEntropy& operation) {
  const Doubles scratch(*this, kernels::crossEntropyScratch(operation.rows, operation.classes));
  CUDNN_GRU_CUDA(kernels::crossEntropy(
      rowsOf(operation, indexFault()), isReduced(operation.reduction), isMean(operation.reduction),
      operation.loss.floats(), operation.logSumExp.floats(), operation.totalWeight.floats(), scratch.data(), stream()));
}

void CudaDevice::crossEntropyBackward(const ops::CrossEntropyBackward& operation) {
  CUDNN_GRU_CUDA(kernels::crossEntropyBackward(rowsOf(operation, indexFault()), isReduced(operation.reduction),
                                               isMean(operation.reduction), operation.logSumExp.floats(),
                                               operation.totalWeight.floats(), operation.lossGrad.floats(),
                                               operation.logitsGrad.floats(), stream()));
}

}  // namespace cudnn_gru
