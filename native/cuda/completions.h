#pragma once

#include <cuda_runtime_api.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "device/error.h"

namespace cudnn_gru {

// Calls back when a stream has come so far: a thread that waits for events, so that neither JavaScript nor the queue's
// thread does.
class Completions {
 public:
  using Action = std::function<void(const std::optional<Error>&)>;

  Completions(int device, cudaStream_t stream);
  ~Completions();  // stops

  // Waits for everything added; nothing may be added any more.
  void stop();

  // Calls `then`, on the thread of this object, when everything that is now in the stream has run, or has failed.
  // `awaited`: somebody waits for it, so the thread polls for a moment before it sleeps.
  void add(bool awaited, Action then);

 private:
  struct Entry {
    cudaEvent_t event;
    bool awaited;
    Action then;
  };

  void work();
  cudaEvent_t takeEvent();

  int device_;
  cudaStream_t stream_;
  std::mutex mutex_;
  std::condition_variable added_;
  std::deque<Entry> entries_;
  std::vector<cudaEvent_t> freeEvents_;
  bool closing_ = false;
  std::thread thread_;  // last: it starts when everything above exists
};

}  // namespace cudnn_gru
