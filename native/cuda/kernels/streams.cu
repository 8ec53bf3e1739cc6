#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/streams.h"

namespace cudnn_gru::kernels {
namespace {

// Where element i of a batch [parts, batch, length] lies in the block of all states.
__device__ int64_t placeOf(const StateLayout& layout, const int64_t* rows, int64_t i) {
  const int64_t row = i / layout.length, part = row / layout.batch;
  return rows[row - part * layout.batch] * layout.stateSize + layout.offset + part * layout.length +
         (i - row * layout.length);
}

__global__ void gatherElements(const float* states, const int64_t* rows, float* y, int64_t count, StateLayout layout) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) y[i] = states[placeOf(layout, rows, i)];
}

__global__ void scatterElements(const float* x, const int64_t* rows, float* states, int64_t count, StateLayout layout) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) states[placeOf(layout, rows, i)] = x[i];
}

}  // namespace

cudaError_t gatherStates(const float* states, const int64_t* rows, float* y, const StateLayout& layout,
                         cudaStream_t stream) {
  const int64_t count = layout.parts * layout.batch * layout.length;
  return launch(gatherElements, blocksFor(count), kThreads, 0, stream, states, rows, y, count, layout);
}

cudaError_t scatterStates(const float* x, const int64_t* rows, float* states, const StateLayout& layout,
                          cudaStream_t stream) {
  const int64_t count = layout.parts * layout.batch * layout.length;
  return launch(scatterElements, blocksFor(count), kThreads, 0, stream, x, rows, states, count, layout);
}

}  // namespace cudnn_gru::kernels
