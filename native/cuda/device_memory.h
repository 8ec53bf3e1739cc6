#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstddef>

#include "device/device.h"

namespace cudnn_gru {

// A GPU's memory, taken and given back in the order of one stream: a block that is given back may be taken again at
// once, and is used only when the stream has done with it. Freed memory is kept for reuse until `clear`. Any thread may
// call.
class DeviceMemory {
 public:
  DeviceMemory(int device, cudaStream_t stream);
  ~DeviceMemory();

  void* allocate(size_t bytes);  // throws ERR_OUT_OF_MEMORY with the sizes
  void release(void* data, size_t bytes) noexcept;
  MemoryUse use() const;
  size_t bytesInUse() const { return inUse_.load(std::memory_order_relaxed); }
  void clear();

 private:
  int device_;
  cudaStream_t stream_;
  cudaMemPool_t pool_ = nullptr;
  std::atomic<size_t> inUse_{0}, peak_{0};
};

}  // namespace cudnn_gru
