#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "device/error.h"

namespace cudnn_gru {

// What the JavaScript thread waits for where it blocks: the answer of one command, given on any thread.
class Answer {
 public:
  void give(const std::optional<Error>& error) {
    std::lock_guard<std::mutex> lock(mutex_);
    error_ = error;
    given_ = true;
    changed_.notify_all();
  }

  // Throws the error if there was one.
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return given_; });
    if (error_) throw *error_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool given_ = false;
  std::optional<Error> error_;
};

}  // namespace cudnn_gru
