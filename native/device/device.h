#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/buffer.h"
#include "ops/operation_table.h"

namespace cudnn_gru {

struct MemoryUse {
  size_t bytesInUse = 0;     // held by live buffers
  size_t peakBytes = 0;      // the most that was ever held by live buffers
  size_t bytesReserved = 0;  // in use, and freed blocks kept for reuse
};

// Called once, on any thread, when a copy to the host has finished; the error if it could not be done.
using CopyDone = std::function<void(const std::optional<Error>&)>;

// What a backend must offer. One method per row of the operation table; the queue's thread calls them in order, with
// every input written and every output allocated. allocate, release and write may be called on any thread.
class Device {
 public:
  virtual ~Device() = default;

  virtual void* allocate(size_t bytes) = 0;  // aligned to 64 bytes; throws ERR_OUT_OF_MEMORY
  virtual void release(void* data, size_t bytes) noexcept = 0;
  virtual MemoryUse memoryUse() const = 0;
  virtual void releaseCache() = 0;  // gives freed blocks back to the system

  virtual void copyFromHost(void* destination, const void* source, size_t bytes) = 0;
  virtual void copyToHost(void* destination, const void* source, size_t bytes, CopyDone done) = 0;

  virtual int threads() const = 0;
  virtual void setThreads(int threads) = 0;

#define CUDNN_GRU_DEVICE_METHOD(name, Type) virtual void name(const ops::Type& operation) = 0;
  CUDNN_GRU_OPERATIONS(CUDNN_GRU_DEVICE_METHOD)
#undef CUDNN_GRU_DEVICE_METHOD
};

// One device as `devices()` shows it. A backend that cannot run here still lists what it lacks and the remedy.
struct DeviceReport {
  std::string name;  // 'cpu', 'cuda:0'
  bool available = false;
  std::string description;  // 'AMD EPYC, AVX-512, 2 threads'
  std::string reason;       // why it is not available, and what to do; empty when it is
};

// A backend's entry in the registry.
struct Backend {
  const char* name;  // 'cpu', 'cuda'
  std::vector<DeviceReport> (*devices)();
  std::shared_ptr<Device> (*open)(int index);  // throws Error with the reason when there is no such device
};

}  // namespace cudnn_gru
