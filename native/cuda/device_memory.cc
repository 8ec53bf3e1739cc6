#include "cuda/device_memory.h"

#include <cstdint>
#include <string>

#include "cuda/cuda_status.h"

namespace cudnn_gru {
namespace {

std::string inMebibytes(size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

DeviceMemory::DeviceMemory(int device, cudaStream_t stream) : device_(device), stream_(stream) {
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = device;
  CUDNN_GRU_CUDA(cudaMemPoolCreate(&pool_, &properties));
  uint64_t keepAll = UINT64_MAX;
  CUDNN_GRU_CUDA(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keepAll));
}

DeviceMemory::~DeviceMemory() {
  cudaStreamSynchronize(stream_);
  if (pool_) cudaMemPoolDestroy(pool_);
}

void* DeviceMemory::allocate(size_t bytes) {
  void* data = nullptr;
  cudaError_t status = cudaMallocFromPoolAsync(&data, bytes, pool_, stream_);
  if (status == cudaErrorMemoryAllocation) {
    // What other sizes have left in the pool goes back to the system, and once more.
    cudaGetLastError();
    clear();
    status = cudaMallocFromPoolAsync(&data, bytes, pool_, stream_);
  }
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw Error("ERR_OUT_OF_MEMORY", "cuda:" + std::to_string(device_) + " cannot allocate " + std::to_string(bytes) +
                                         " bytes (" + inMebibytes(bytes) + "): " + inMebibytes(bytesInUse()) +
                                         " are in use here, " + inMebibytes(free) + " of " + inMebibytes(total) +
                                         " are free");
  }
  CUDNN_GRU_CUDA(status);
  const size_t now = inUse_.fetch_add(bytes) + bytes;
  size_t peak = peak_.load();
  while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
  }
  return data;
}

void DeviceMemory::release(void* data, size_t bytes) noexcept {
  if (!data) return;
  inUse_.fetch_sub(bytes);
  cudaFreeAsync(data, stream_);  // fails only on a lost GPU, whose memory goes with the process
}

MemoryUse DeviceMemory::use() const {
  MemoryUse use;
  use.bytesInUse = inUse_.load();
  use.peakBytes = peak_.load();
  uint64_t reserved = 0;
  if (cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &reserved) == cudaSuccess)
    use.bytesReserved = size_t(reserved);
  return use;
}

void DeviceMemory::clear() {
  // What was given back in the stream's order is free only when the stream has come that far.
  CUDNN_GRU_CUDA(cudaStreamSynchronize(stream_));
  CUDNN_GRU_CUDA(cudaMemPoolTrimTo(pool_, 0));
}

}  // namespace cudnn_gru
