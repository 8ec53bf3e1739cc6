#pragma once

#include <stdint.h>

// How every kernel is launched, and where its threads find themselves.
//
// Kernels are compiled by nvcc, and by the C++ compiler for the CPU (test/native/cuda_emulation), which is how they are
// tested where there is no GPU. So they keep to what both can do: launches by launch(), shared memory by
// sharedMemory(). Multiplications and additions are never fused unless by fmaf (nvcc --fmad=false): an element is
// computed by the CPU backend's chain of roundings, and gets its bits.
namespace cudnn_gru::kernels {

constexpr int kThreads = 256;  // of a block
constexpr int kWarp = 32;

// Enough blocks to keep any GPU busy; a grid steps through what is more. A constant, so that what a block sums up does
// not depend on the GPU. (The emulation takes few, to see grids step.)
#ifndef CUDNN_GRU_MOST_BLOCKS
#define CUDNN_GRU_MOST_BLOCKS 4096
#endif
constexpr int64_t kMostBlocks = CUDNN_GRU_MOST_BLOCKS;

inline unsigned blocksFor(int64_t threads) {
  const int64_t blocks = (threads + kThreads - 1) / kThreads;
  return unsigned(blocks < kMostBlocks ? blocks : kMostBlocks);
}

// No blocks are no work, and no error.
template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 blocks, dim3 threads, size_t sharedBytes, cudaStream_t stream,
                   const Arguments&... arguments) {
  if (blocks.x == 0) return cudaSuccess;
  cudaLaunchConfig_t config = {};
  config.gridDim = blocks;
  config.blockDim = threads;
  config.dynamicSmemBytes = sharedBytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

__device__ inline int64_t gridThread() { return int64_t(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline int64_t gridThreads() { return int64_t(gridDim.x) * blockDim.x; }

// The block's shared memory, of the size given at the launch. Its contents are undefined at first.
template <class T>
__device__ inline T* sharedMemory() {
#ifdef __CUDACC__
  extern __shared__ double cudnnGruShared[];
  return reinterpret_cast<T*>(cudnnGruShared);
#else
  return static_cast<T*>(emulatedSharedMemory());
#endif
}

}  // namespace cudnn_gru::kernels
