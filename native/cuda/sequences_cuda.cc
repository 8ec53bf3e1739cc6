#include "cuda/cuda_device.h"
#include "cuda/device_ints.h"
#include "cuda/kernels/sequences.h"

namespace cudnn_gru {
namespace {

template <class Operation>
kernels::SequenceLayout layoutOf(const Operation& operation) {
  return {operation.batch, operation.time, operation.features, operation.timeMajor};
}

}  // namespace

void CudaDevice::gatherTime(const ops::GatherTime& operation) {
  const DeviceInts steps(*this, operation.steps);
  CUDNN_GRU_CUDA(
      kernels::gatherTime(operation.x.floats(), steps.data(), operation.y.floats(), layoutOf(operation), stream()));
}

void CudaDevice::gatherTimeBackward(const ops::GatherTimeBackward& operation) {
  const DeviceInts steps(*this, operation.steps);
  CUDNN_GRU_CUDA(kernels::gatherTimeBackward(operation.yGrad.floats(), steps.data(), operation.xGrad.floats(),
                                             layoutOf(operation), stream()));
}

void CudaDevice::maskedMean(const ops::MaskedMean& operation) {
  const DeviceInts lengths(*this, operation.steps);
  CUDNN_GRU_CUDA(
      kernels::maskedMean(operation.x.floats(), lengths.data(), operation.y.floats(), layoutOf(operation), stream()));
}

void CudaDevice::maskedMeanBackward(const ops::MaskedMeanBackward& operation) {
  const DeviceInts lengths(*this, operation.steps);
  CUDNN_GRU_CUDA(kernels::maskedMeanBackward(operation.yGrad.floats(), lengths.data(), operation.xGrad.floats(),
                                             layoutOf(operation), stream()));
}

void CudaDevice::maskedMax(const ops::MaskedMax& operation) {
  const DeviceInts lengths(*this, operation.steps);
  CUDNN_GRU_CUDA(kernels::maskedMax(operation.x.floats(), lengths.data(), operation.y.floats(), operation.argmax.ints(),
                                    layoutOf(operation), stream()));
}

void CudaDevice::maskedMaxBackward(const ops::MaskedMaxBackward& operation) {
  CUDNN_GRU_CUDA(kernels::maskedMaxBackward(operation.yGrad.floats(), operation.argmax.ints(), operation.xGrad.floats(),
                                            layoutOf(operation), stream()));
}

}  // namespace cudnn_gru
