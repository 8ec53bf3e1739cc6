#pragma once

#include <cuda_runtime_api.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <functional>
#include <utility>

#include "grid.h"

// What nvcc knows by itself, for the C++ compiler: included before every .cu file of the emulated build. Types and
// declarations are those of NVIDIA's headers, which mean nothing by `__global__` and `__device__` outside nvcc.

// Kernels take shared memory from sharedMemory() alone (kernels/launch.cuh): only that is filled with garbage for each
// block, and watched.
#undef __shared__
#define __shared__ static_assert(false, "use sharedMemory()")

using cuda_emulation::blockDim, cuda_emulation::blockIdx, cuda_emulation::gridDim, cuda_emulation::threadIdx;

inline void* emulatedSharedMemory() { return cuda_emulation::sharedMemory(); }

inline void __syncthreads() { cuda_emulation::syncBlock(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { cuda_emulation::syncWarp(mask); }
inline void __threadfence() {}
inline void __threadfence_system() {}

template <class T>
T __shfl_sync(unsigned mask, T value, int lane) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = cuda_emulation::exchange(mask, bits, lane);
  memcpy(&value, &bits, sizeof value);
  return value;
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int distance) {
  return __shfl_sync(mask, value, cuda_emulation::currentLane() ^ distance);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, int distance) {
  const int lane = cuda_emulation::currentLane();
  return __shfl_sync(mask, value, lane + distance < 32 ? lane + distance : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int distance) {
  const int lane = cuda_emulation::currentLane();
  return __shfl_sync(mask, value, lane >= distance ? lane - distance : lane);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) { return cuda_emulation::ballot(mask, predicate != 0); }
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }

// One thread runs at a time, and stops at barriers only.
template <class T>
T atomicAdd(T* address, T value) {
  static_assert(std::is_integral_v<T>, "the sum of floats would depend on the order");
  return std::exchange(*address, T(*address + value));
}
template <class T>
T atomicMin(T* address, T value) {
  return std::exchange(*address, value < *address ? value : *address);
}
template <class T>
T atomicMax(T* address, T value) {
  return std::exchange(*address, value > *address ? value : *address);
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(unsigned(x)); }
inline uint32_t __float_as_uint(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float __uint_as_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// As cuda_runtime.h has it.
template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  return cuda_emulation::launch(*config, [=] { kernel(Parameters(arguments)...); });
}
