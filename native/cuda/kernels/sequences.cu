#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/sequences.h"

namespace cudnn_gru::kernels {
namespace {

// Where step t of feature f of row b lies, from the element of step 0: + t * stepOf(layout).
__device__ int64_t startOf(const SequenceLayout& layout, int64_t b, int64_t f) {
  return (layout.timeMajor ? b : b * layout.time) * layout.features + f;
}
__device__ int64_t stepOf(const SequenceLayout& layout) {
  return layout.timeMajor ? layout.batch * layout.features : layout.features;
}

// Which element of x has this number.
struct Place {
  int64_t b, t, f;
};
__device__ Place placeOf(const SequenceLayout& layout, int64_t i) {
  const int64_t row = i / layout.features, f = i - row * layout.features;
  const int64_t inner = layout.timeMajor ? layout.batch : layout.time, outer = row / inner, at = row - outer * inner;
  return layout.timeMajor ? Place{at, outer, f} : Place{outer, at, f};
}

// Kernels: forward a thread for each element of y [batch, features], backward one for each of x.

__global__ void gatherSteps(const float* x, const int64_t* steps, float* y, SequenceLayout layout) {
  for (int64_t i = gridThread(); i < layout.batch * layout.features; i += gridThreads()) {
    const int64_t b = i / layout.features, step = steps[b];
    y[i] = step < 0 ? 0.0f : x[startOf(layout, b, i - b * layout.features) + step * stepOf(layout)];
  }
}

__global__ void scatterSteps(const float* yGrad, const int64_t* steps, float* xGrad, SequenceLayout layout) {
  for (int64_t i = gridThread(); i < layout.batch * layout.time * layout.features; i += gridThreads()) {
    const Place at = placeOf(layout, i);
    xGrad[i] = at.t == steps[at.b] ? yGrad[at.b * layout.features + at.f] : 0.0f;
  }
}

__global__ void averageSteps(const float* x, const int64_t* lengths, float* y, SequenceLayout layout) {
  for (int64_t i = gridThread(); i < layout.batch * layout.features; i += gridThreads()) {
    const int64_t b = i / layout.features, length = lengths[b];
    const float* from = x + startOf(layout, b, i - b * layout.features);
    double sum = 0;
    for (int64_t t = 0; t < length; ++t) sum += double(from[t * stepOf(layout)]);
    y[i] = float(sum / double(length > 0 ? length : 1));
  }
}

__global__ void spreadAverages(const float* yGrad, const int64_t* lengths, float* xGrad, SequenceLayout layout) {
  for (int64_t i = gridThread(); i < layout.batch * layout.time * layout.features; i += gridThreads()) {
    const Place at = placeOf(layout, i);
    const int64_t length = lengths[at.b];
    xGrad[i] = at.t < length ? float(1.0 / double(length)) * yGrad[at.b * layout.features + at.f] : 0.0f;
  }
}

// The first of equal ones; a NaN over any number.
__global__ void largestSteps(const float* x, const int64_t* lengths, float* y, int32_t* argmax, SequenceLayout layout) {
  for (int64_t i = gridThread(); i < layout.batch * layout.features; i += gridThreads()) {
    const int64_t b = i / layout.features, length = lengths[b];
    const float* from = x + startOf(layout, b, i - b * layout.features);
    float best = length > 0 ? from[0] : 0.0f;
    int32_t at = length > 0 ? 0 : -1;
    for (int64_t t = 1; t < length; ++t) {
      const float candidate = from[t * stepOf(layout)];
      if (candidate <= best || best != best) continue;
      best = candidate;
      at = int32_t(t);
    }
    y[i] = best;
    argmax[i] = at;
  }
}

__global__ void scatterLargest(const float* yGrad, const int32_t* argmax, float* xGrad, SequenceLayout layout) {
  for (int64_t i = gridThread(); i < layout.batch * layout.time * layout.features; i += gridThreads()) {
    const Place at = placeOf(layout, i);
    const int64_t from = at.b * layout.features + at.f;
    xGrad[i] = at.t == argmax[from] ? yGrad[from] : 0.0f;
  }
}

unsigned blocksForPooled(const SequenceLayout& layout) { return blocksFor(layout.batch * layout.features); }
unsigned blocksForSteps(const SequenceLayout& layout) {
  return blocksFor(layout.batch * layout.time * layout.features);
}

}  // namespace

// Launchers

cudaError_t gatherTime(const float* x, const int64_t* steps, float* y, const SequenceLayout& layout,
                       cudaStream_t stream) {
  return launch(gatherSteps, blocksForPooled(layout), kThreads, 0, stream, x, steps, y, layout);
}

cudaError_t gatherTimeBackward(const float* yGrad, const int64_t* steps, float* xGrad, const SequenceLayout& layout,
                               cudaStream_t stream) {
  return launch(scatterSteps, blocksForSteps(layout), kThreads, 0, stream, yGrad, steps, xGrad, layout);
}

cudaError_t maskedMean(const float* x, const int64_t* lengths, float* y, const SequenceLayout& layout,
                       cudaStream_t stream) {
  return launch(averageSteps, blocksForPooled(layout), kThreads, 0, stream, x, lengths, y, layout);
}

cudaError_t maskedMeanBackward(const float* yGrad, const int64_t* lengths, float* xGrad, const SequenceLayout& layout,
                               cudaStream_t stream) {
  return launch(spreadAverages, blocksForSteps(layout), kThreads, 0, stream, yGrad, lengths, xGrad, layout);
}

cudaError_t maskedMax(const float* x, const int64_t* lengths, float* y, int32_t* argmax, const SequenceLayout& layout,
                      cudaStream_t stream) {
  return launch(largestSteps, blocksForPooled(layout), kThreads, 0, stream, x, lengths, y, argmax, layout);
}

cudaError_t maskedMaxBackward(const float* yGrad, const int32_t* argmax, float* xGrad, const SequenceLayout& layout,
                              cudaStream_t stream) {
  return launch(scatterLargest, blocksForSteps(layout), kThreads, 0, stream, yGrad, argmax, xGrad, layout);
}

}  // namespace cudnn_gru::kernels
