#pragma once

#include "cuda/alignment.h"
#include "cuda/kernels/launch.cuh"

// One function applied to every element: out[i] = function(in[0][i], in[1][i], ...). Four neighbouring elements at a
// time where every array allows it (a view may begin anywhere).
namespace cudnn_gru::kernels {

template <int kWidth>
struct alignas(4 * kWidth) Floats {
  float at[kWidth];
};

template <int kWidth>
__device__ inline Floats<kWidth> load(const float* from) {
  return *reinterpret_cast<const Floats<kWidth>*>(from);
}

template <int kWidth>
__device__ inline void store(float* to, const Floats<kWidth>& values) {
  *reinterpret_cast<Floats<kWidth>*>(to) = values;
}

// The arrays that are read; the result may be written over one of them.
template <int kInputs>
struct Inputs {
  const float* in[kInputs];
};

template <int kWidth, class Function, int kInputs>
__global__ void mapElements(Function function, Inputs<kInputs> inputs, float* out, int64_t count) {
  for (int64_t i = gridThread() * kWidth; i + kWidth <= count; i += gridThreads() * kWidth) {
    Floats<kWidth> x[kInputs], y;
    for (int k = 0; k < kInputs; ++k) x[k] = load<kWidth>(inputs.in[k] + i);
    for (int n = 0; n < kWidth; ++n) {
      if constexpr (kInputs == 1) y.at[n] = function(x[0].at[n]);
      if constexpr (kInputs == 2) y.at[n] = function(x[0].at[n], x[1].at[n]);
      if constexpr (kInputs == 3) y.at[n] = function(x[0].at[n], x[1].at[n], x[2].at[n]);
    }
    store<kWidth>(out + i, y);
  }
}

template <class Function, int kInputs>
cudaError_t launchMap(const Function& function, Inputs<kInputs> inputs, float* out, int64_t count,
                      cudaStream_t stream) {
  bool aligned = isAligned(out);
  for (const float* in : inputs.in) aligned = aligned && isAligned(in);
  const int64_t quads = aligned ? count / 4 : 0, rest = quads * 4;
  const cudaError_t status =
      launch(mapElements<4, Function, kInputs>, blocksFor(quads), kThreads, 0, stream, function, inputs, out, rest);
  if (status != cudaSuccess || rest == count) return status;
  for (const float*& in : inputs.in) in += rest;
  return launch(mapElements<1, Function, kInputs>, blocksFor(count - rest), kThreads, 0, stream, function, inputs,
                out + rest, count - rest);
}

}  // namespace cudnn_gru::kernels
