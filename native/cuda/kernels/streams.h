#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// The states of some streams out of the block of all, and back (ops/streams.h).
namespace cudnn_gru::kernels {

struct StateLayout {
  int64_t stateSize, offset;
  int64_t batch, parts, length;
};

// `rows` is [batch], on the device.
cudaError_t gatherStates(const float* states, const int64_t* rows, float* y, const StateLayout& layout,
                         cudaStream_t stream);
cudaError_t scatterStates(const float* x, const int64_t* rows, float* states, const StateLayout& layout,
                          cudaStream_t stream);

}  // namespace cudnn_gru::kernels
