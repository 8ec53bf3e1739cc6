#include "cpu/block_cache.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "platform/memory.h"

namespace cudnn_gru {
namespace {

constexpr size_t kAlignment = 64;
// In front of the data stands the block's size, header included.
constexpr size_t kHeader = kAlignment;

size_t& sizeOf(void* block) { return *static_cast<size_t*>(block); }
void* dataOf(void* block) { return static_cast<char*>(block) + kHeader; }
void* blockOf(void* data) { return static_cast<char*>(data) - kHeader; }

// Multiples of 1/8 of the power of two below, and of the alignment.
size_t roundUp(size_t bytes) {
  size_t step = kAlignment;
  while (step * 16 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

std::string inMebibytes(size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

BlockCache::~BlockCache() { clear(); }

void* BlockCache::allocate(size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  void* block = bytes <= SIZE_MAX / 4 ? take(roundUp(bytes + kHeader)) : nullptr;
  if (!block)
    throw Error("ERR_OUT_OF_MEMORY", "cannot allocate " + std::to_string(bytes) + " bytes (" + inMebibytes(bytes) +
                                         "): " + inMebibytes(use_.bytesInUse) + " are in use and the limit is " +
                                         inMebibytes(platform::memoryLimit()));
  use_.bytesInUse += sizeOf(block);
  use_.peakBytes = std::max(use_.peakBytes, use_.bytesInUse);
  return dataOf(block);
}

void* BlockCache::take(size_t blockBytes) {
  const auto found = kept_.lower_bound(blockBytes);
  if (found != kept_.end() && found->first <= 2 * blockBytes) {
    void* block = found->second;
    kept_.erase(found);
    return block;
  }
  static const size_t limit = platform::memoryLimit();
  if (blockBytes > limit || use_.bytesInUse > limit - blockBytes) return nullptr;
  if (use_.bytesReserved > limit - blockBytes) freeKept(0);
  void* block = platform::allocateAligned(blockBytes, kAlignment);
  if (!block) {
    freeKept(0);
    block = platform::allocateAligned(blockBytes, kAlignment);
  }
  if (!block) return nullptr;
  sizeOf(block) = blockBytes;
  use_.bytesReserved += blockBytes;
  return block;
}

void BlockCache::release(void* data) noexcept {
  if (!data) return;
  std::lock_guard<std::mutex> lock(mutex_);
  void* block = blockOf(data);
  const size_t bytes = sizeOf(block);
  use_.bytesInUse -= bytes;
  try {
    kept_.emplace(bytes, block);
  } catch (...) {  // no memory for the note: give the block itself back
    use_.bytesReserved -= bytes;
    platform::freeAligned(block);
  }
  freeKept(use_.peakBytes);
}

void BlockCache::clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  freeKept(0);
}

MemoryUse BlockCache::use() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return use_;
}

// Frees the largest blocks until at most so many bytes are kept.
void BlockCache::freeKept(size_t atMost) noexcept {
  while (!kept_.empty() && use_.bytesReserved - use_.bytesInUse > atMost) {
    const auto last = std::prev(kept_.end());
    use_.bytesReserved -= last->first;
    platform::freeAligned(last->second);
    kept_.erase(last);
  }
}

}  // namespace cudnn_gru
