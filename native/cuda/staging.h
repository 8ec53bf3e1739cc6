#pragma once

#include <cuda_runtime_api.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "cuda/completions.h"
#include "device/device.h"

namespace cudnn_gru {

// Copies between a stream and memory of the host that may move or go away: through a few pinned blocks, so that the
// caller does not wait for the GPU unless all of them are on their way.
class Staging {
 public:
  Staging(cudaStream_t stream, Completions& completions) : stream_(stream), completions_(completions) {}
  ~Staging();  // after everything in `completions` has run

  void upload(void* device, const void* host, size_t bytes);
  // `done` is called on the completions' thread, when `host` is filled.
  void download(void* host, const void* device, size_t bytes, CopyDone done);

 private:
  void* take();  // waits for one
  void give(void* block);

  cudaStream_t stream_;
  Completions& completions_;
  std::mutex mutex_;
  std::condition_variable given_;
  std::vector<void*> all_, free_;
};

}  // namespace cudnn_gru
