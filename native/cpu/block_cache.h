#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

#include "device/device.h"

namespace cudnn_gru {

// Memory in blocks aligned to 64 bytes, kept for reuse when they are freed. Sizes are rounded up to classes at most 1/8
// apart; a request takes the smallest kept block up to twice its class. What is kept is never more than was once in
// use. Any thread may call.
class BlockCache {
 public:
  ~BlockCache();

  void* allocate(size_t bytes);  // throws ERR_OUT_OF_MEMORY with the sizes
  void release(void* data) noexcept;
  MemoryUse use() const;
  void clear();  // gives all kept blocks back to the system

 private:
  void freeKept(size_t atMost) noexcept;
  void* take(size_t blockBytes);

  mutable std::mutex mutex_;
  std::multimap<size_t, void*> kept_;  // by size
  MemoryUse use_;
};

}  // namespace cudnn_gru
