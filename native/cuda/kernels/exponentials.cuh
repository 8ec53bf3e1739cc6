#pragma once

#include "cuda/kernels/math.cuh"
#include "cuda/kernels/team.cuh"

// What softmax and cross-entropy ask of a row, of every thread of its team. The sums are of float32 terms, in float64.
namespace cudnn_gru::kernels {

// A NaN may be passed over: whoever subtracts the result from the row meets it again.
template <int kSize>
__device__ float largestOf(const Team<kSize>& team, const float* x, int64_t columns) {
  float best = -INFINITY;
  for (int64_t c = team.thread; c < columns; c += kSize) best = larger(x[c], best);
  return float(team.largest(double(best)));
}

// The sum of exp(x - shift)
template <int kSize>
__device__ double sumOfExponentials(const Team<kSize>& team, const float* x, int64_t columns, float shift) {
  double sum = 0;
  for (int64_t c = team.thread; c < columns; c += kSize) sum += double(exponential(x[c] - shift));
  return team.sum(sum);
}

}  // namespace cudnn_gru::kernels
