#include "cuda/cuda_device.h"
#include "cuda/kernels/streams.h"
#include "device/scratch.h"

namespace cudnn_gru {
namespace {

kernels::StateLayout layoutOf(const ops::StreamShape& shape) {
  return {shape.stateSize, shape.offset, shape.batch, shape.parts, shape.length};
}

Scratch rowsOnDevice(CudaDevice& device, const ops::StreamShape& shape) {
  Scratch rows(device, shape.rows.size(), sizeof(int64_t));
  device.copyFromHost(rows.data(), shape.rows.data(), rows.bytes());
  return rows;
}

}  // namespace

void CudaDevice::gatherStates(const ops::GatherStates& operation) {
  const Scratch rows = rowsOnDevice(*this, operation);
  CUDNN_GRU_CUDA(kernels::gatherStates(operation.states.floats(), static_cast<const int64_t*>(rows.data()),
                                       operation.y.floats(), layoutOf(operation), stream()));
}

void CudaDevice::scatterStates(const ops::ScatterStates& operation) {
  const Scratch rows = rowsOnDevice(*this, operation);
  CUDNN_GRU_CUDA(kernels::scatterStates(operation.x.floats(), static_cast<const int64_t*>(rows.data()),
                                        operation.states.floats(), layoutOf(operation), stream()));
}

}  // namespace cudnn_gru
