#include "cuda/staging.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "cuda/cuda_status.h"

namespace cudnn_gru {
namespace {

constexpr size_t kBlockBytes = 2 << 20;
constexpr size_t kMostBlocks = 16;

}  // namespace

Staging::~Staging() {
  for (void* block : all_) cudaFreeHost(block);
}

void* Staging::take() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (free_.empty() && all_.size() < kMostBlocks) {
    void* block = nullptr;
    CUDNN_GRU_CUDA(cudaHostAlloc(&block, kBlockBytes, cudaHostAllocDefault));
    all_.push_back(block);
    return block;
  }
  given_.wait(lock, [this] { return !free_.empty(); });
  void* block = free_.back();
  free_.pop_back();
  return block;
}

void Staging::give(void* block) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(block);
  }
  given_.notify_one();
}

void Staging::upload(void* device, const void* host, size_t bytes) {
  for (size_t done = 0; done < bytes; done += kBlockBytes) {
    const size_t part = std::min(kBlockBytes, bytes - done);
    void* block = take();
    try {
      std::memcpy(block, static_cast<const char*>(host) + done, part);
      CUDNN_GRU_CUDA(cudaMemcpyAsync(static_cast<char*>(device) + done, block, part, cudaMemcpyHostToDevice, stream_));
      completions_.add(false, [this, block](const std::optional<Error>&) { give(block); });
    } catch (...) {
      give(block);
      throw;
    }
  }
}

void Staging::download(void* host, const void* device, size_t bytes, CopyDone done) {
  struct Progress {
    std::mutex mutex;
    std::optional<Error> failure;  // of any part, the first
    bool abandoned = false;        // nobody waits any more, and `host` may be gone
  };
  const auto progress = std::make_shared<Progress>();
  for (size_t copied = 0; copied < bytes; copied += kBlockBytes) {
    const size_t part = std::min(kBlockBytes, bytes - copied);
    const bool last = copied + part == bytes;
    char* to = static_cast<char*>(host) + copied;
    void* block = take();
    try {
      CUDNN_GRU_CUDA(
          cudaMemcpyAsync(block, static_cast<const char*>(device) + copied, part, cudaMemcpyDeviceToHost, stream_));
      completions_.add(true, [this, block, to, part, last, progress, done](const std::optional<Error>& error) {
        {
          std::lock_guard<std::mutex> lock(progress->mutex);
          if (error && !progress->failure) progress->failure = error;
          if (!error && !progress->abandoned) std::memcpy(to, block, part);
        }
        give(block);
        if (last) done(progress->failure);
      });
    } catch (...) {
      give(block);
      std::lock_guard<std::mutex> lock(progress->mutex);
      progress->abandoned = true;
      throw;
    }
  }
}

}  // namespace cudnn_gru
