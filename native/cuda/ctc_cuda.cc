#include "cuda/cuda_device.h"
#include "cuda/device_ints.h"
#include "cuda/kernels/ctc.h"
#include "cuda/kernels/rearrange.h"
#include "cuda/kernels/softmax.h"
#include "device/scratch.h"

namespace cudnn_gru {
namespace {

kernels::CtcReduction reductionOf(const ops::CtcShape& shape) {
  switch (ops::Reduction(shape.reduction)) {
    case ops::Reduction::kNone:
      return kernels::CtcReduction::kNone;
    case ops::Reduction::kSum:
      return kernels::CtcReduction::kSum;
    default:
      return kernels::CtcReduction::kMean;
  }
}

template <class Operation>
kernels::CtcRows rowsOf(const Operation& operation, const DeviceInts& inputLengths, const DeviceInts& targetLengths) {
  return {operation.batch,       operation.time,          operation.classes,
          operation.labels,      operation.blank,         inputLengths.data(),
          targetLengths.data(),  operation.target.ints(), operation.logProbabilities.floats(),
          operation.zeroInfinity};
}

}  // namespace

void CudaDevice::ctc(const ops::Ctc& operation) {
  const DeviceInts inputLengths(*this, operation.inputLengths), targetLengths(*this, operation.targetLengths);
  const kernels::CtcRows rows = rowsOf(operation, inputLengths, targetLengths);
  const int64_t batch = operation.batch, time = operation.time, classes = operation.classes;
  const float* logits = operation.logits.floats();
  if (operation.timeMajor) {
    CUDNN_GRU_CUDA(kernels::transpose(operation.logits.ints(), operation.logProbabilities.ints(), 1, time, 1, batch,
                                      classes, stream()));
    logits = operation.logProbabilities.floats();
  }
  CUDNN_GRU_CUDA(kernels::logSoftmax(logits, operation.logProbabilities.floats(), batch * time, classes, stream()));
  const Doubles scratch(*this, kernels::ctcScratch(rows));
  CUDNN_GRU_CUDA(kernels::ctc(rows, reductionOf(operation), operation.logAlpha.floats(), operation.rowLosses.floats(),
                              operation.loss.floats(), scratch.data(), indexFault(), stream()));
}

void CudaDevice::ctcBackward(const ops::CtcBackward& operation) {
  const DeviceInts inputLengths(*this, operation.inputLengths), targetLengths(*this, operation.targetLengths);
  const kernels::CtcRows rows = rowsOf(operation, inputLengths, targetLengths);
  const Doubles scratch(*this, kernels::ctcBackwardScratch(rows));
  CUDNN_GRU_CUDA(kernels::ctcBackward(rows, reductionOf(operation), operation.logAlpha.floats(),
                                      operation.rowLosses.floats(), operation.lossGrad.floats(),
                                      operation.logitsGrad.floats(), operation.timeMajor, scratch.data(), stream()));
}

}  // namespace cudnn_gru
