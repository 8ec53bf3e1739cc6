#pragma once

#include "cuda/kernels/launch.cuh"

namespace cudnn_gru::kernels {

// The threads that share one row, or one sum: a warp (eight teams in a block) or the whole block. All of a team must
// call its functions together. A team of kThreads uses the block's first kTeamShared bytes of shared memory.
constexpr size_t kTeamShared = kThreads / kWarp * sizeof(double);

// A warp is faster up to about this many elements a row.
constexpr int64_t kWarpColumns = 1024;

template <int kSize>
class Team {
 public:
  static constexpr int kTeamsPerBlock = kThreads / kSize;

  __device__ Team() : thread(int(threadIdx.x) % kSize) {}

  // This team's number in the grid, and how many there are.
  __device__ int64_t index() const { return int64_t(blockIdx.x) * kTeamsPerBlock + threadIdx.x / kSize; }
  __device__ int64_t count() const { return int64_t(gridDim.x) * kTeamsPerBlock; }

  // The same bits for every thread of the team, and in every run.
  __device__ double sum(double value) const {
    return combine(value, [](double a, double b) { return a + b; });
  }
  // Passes over NaN, except that it may be what the threads of a whole warp hold.
  __device__ double largest(double value) const {
    return combine(value, [](double a, double b) { return a > b ? a : b; });
  }
  // What each has written before, all read after.
  __device__ void sync() const {
    if constexpr (kSize > kWarp)
      __syncthreads();
    else
      __syncwarp();
  }

  const int thread;  // of the team

 private:
  template <class Combine>
  __device__ static double combine(double value, const Combine& both) {
    for (int distance = kWarp / 2; distance > 0; distance /= 2)
      value = both(value, __shfl_xor_sync(0xffffffffu, value, distance));
    if constexpr (kSize > kWarp) {
      double* shared = sharedMemory<double>();
      __syncthreads();  // until everyone has read the last result
      if (threadIdx.x % kWarp == 0) shared[threadIdx.x / kWarp] = value;
      __syncthreads();
      value = shared[0];
      for (int warp = 1; warp < kSize / kWarp; ++warp) value = both(value, shared[warp]);
    }
    return value;
  }
};

// Launches a kernel with a team for each of `rows` rows: the one for warps if the rows are short, else for blocks.
template <class... Parameters, class... Arguments>
cudaError_t launchRows(void (*forWarps)(Parameters...), void (*forBlocks)(Parameters...), int64_t rows, int64_t columns,
                       cudaStream_t stream, const Arguments&... arguments) {
  if (columns <= kWarpColumns)
    return launch(forWarps, blocksFor(rows * kWarp), kThreads, kTeamShared, stream, arguments...);
  return launch(forBlocks, blocksFor(rows * kThreads), kThreads, kTeamShared, stream, arguments...);
}

}  // namespace cudnn_gru::kernels
