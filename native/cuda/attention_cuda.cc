#include "cuda/cuda_device.h"
#include "cuda/device_ints.h"
#include "cuda/kernels/attention.h"
#include "device/scratch.h"

namespace cudnn_gru {
namespace {

kernels::AttentionShape shapeOf(const ops::AttentionShape& shape, const DeviceInts& lengths) {
  return {shape.batch, shape.queries, shape.time, lengths.data()};
}

}  // namespace

void CudaDevice::maskedSoftmax(const ops::MaskedSoftmax& operation) {
  const DeviceInts lengths(*this, operation.lengths);
  CUDNN_GRU_CUDA(
      kernels::maskedSoftmax(operation.x.floats(), operation.y.floats(), shapeOf(operation, lengths), stream()));
}

void CudaDevice::additiveScores(const ops::AdditiveScores& operation) {
  const DeviceInts lengths(*this, operation.lengths);
  CUDNN_GRU_CUDA(kernels::additiveScores(operation.query.floats(), operation.keys.floats(), operation.scale.floats(),
                                         operation.scores.floats(), shapeOf(operation, lengths), operation.size,
                                         stream()));
}

void CudaDevice::additiveScoresBackward(const ops::AdditiveScoresBackward& operation) {
  const DeviceInts lengths(*this, operation.lengths);
  const Doubles partials(*this, operation.batch * operation.queries * operation.size);
  CUDNN_GRU_CUDA(kernels::additiveScoresBackward(
      operation.query.floats(), operation.keys.floats(), operation.scale.floats(), operation.scoresGrad.floats(),
      operation.queryGrad.floats(), operation.keysGrad.floats(), operation.scaleGrad.floats(), partials.data(),
      shapeOf(operation, lengths), operation.size, stream()));
}

}  // namespace cudnn_gru
