#include <cstring>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"

namespace cudnn_gru {
namespace {

// body(where the state of row b lies in the block, where it lies in the batch) for every part of every row
template <class Body>
void forRows(ThreadTeam& team, const ops::StreamShape& shape, float* states, float* batch, const Body& body) {
  parallelRanges(team, shape.batch, rowGrain(shape.parts * shape.length), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      for (int64_t p = 0; p < shape.parts; ++p)
        body(states + shape.rows[b] * shape.stateSize + shape.offset + p * shape.length,
             batch + (p * shape.batch + b) * shape.length);
  });
}

}  // namespace

void CpuDevice::gatherStates(const ops::GatherStates& operation) {
  const size_t bytes = size_t(operation.length) * sizeof(float);
  forRows(team_, operation, operation.states.floats(), operation.y.floats(),
          [=](const float* state, float* y) { std::memcpy(y, state, bytes); });
}

void CpuDevice::scatterStates(const ops::ScatterStates& operation) {
  const size_t bytes = size_t(operation.length) * sizeof(float);
  forRows(team_, operation, operation.states.floats(), operation.x.floats(),
          [=](float* state, const float* x) { std::memcpy(state, x, bytes); });
}

}  // namespace cudnn_gru
