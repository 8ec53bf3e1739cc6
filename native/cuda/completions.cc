#include "cuda/completions.h"

#include <chrono>

#include "cuda/cuda_status.h"
#include "platform/pause.h"

namespace cudnn_gru {
namespace {

constexpr auto kPolling = std::chrono::microseconds(200);

}  // namespace

Completions::Completions(int device, cudaStream_t stream)
    : device_(device), stream_(stream), thread_([this] { work(); }) {}

Completions::~Completions() {
  stop();
  for (cudaEvent_t event : freeEvents_) cudaEventDestroy(event);
}

void Completions::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  added_.notify_all();
  thread_.join();
}

cudaEvent_t Completions::takeEvent() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!freeEvents_.empty()) {
      const cudaEvent_t event = freeEvents_.back();
      freeEvents_.pop_back();
      return event;
    }
  }
  cudaEvent_t event;
  CUDNN_GRU_CUDA(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync));
  return event;
}

void Completions::add(bool awaited, Action then) {
  const cudaEvent_t event = takeEvent();
  const cudaError_t recorded = cudaEventRecord(event, stream_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (recorded == cudaSuccess)
      entries_.push_back({event, awaited, std::move(then)});
    else
      freeEvents_.push_back(event);
  }
  CUDNN_GRU_CUDA(recorded);
  added_.notify_one();
}

void Completions::work() {
  cudaSetDevice(device_);
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    added_.wait(lock, [this] { return closing_ || !entries_.empty(); });
    if (entries_.empty()) return;
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    lock.unlock();

    std::optional<Error> failure;
    try {
      cudaError_t status = cudaEventQuery(entry.event);
      const auto end = std::chrono::steady_clock::now() + kPolling;
      while (entry.awaited && status == cudaErrorNotReady && std::chrono::steady_clock::now() < end) {
        platform::pause();
        status = cudaEventQuery(entry.event);
      }
      if (status == cudaErrorNotReady) status = cudaEventSynchronize(entry.event);
      CUDNN_GRU_CUDA(status);
    } catch (const Error& error) {
      failure = error;
    }
    entry.then(failure);
    entry.then = nullptr;  // what it holds goes before the next one is waited for

    lock.lock();
    freeEvents_.push_back(entry.event);
  }
}

}  // namespace cudnn_gru
