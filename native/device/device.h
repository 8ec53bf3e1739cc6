#pragma once

#include <cstddef>
#include <functional>
#include <limits>
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

// Where the parameters of a GRU stack lie in one block, so that they need no rearranging: in the order of
// ops::GruShape::weights.
struct GruLayout {
  int64_t elements = 0;          // of the block, gaps included
  std::vector<int64_t> offsets;  // of each parameter, in elements
};

// What a backend must offer. The queue's thread (or JavaScript's while the queue is idle: Queue::runNow) calls one
// method for each row of the operation table, in order, with every input written and every output allocated; a backend
// that has a stream of its own launches there and returns. Methods that say so may be called on any thread.
class Device {
 public:
  virtual ~Device() = default;

  // Called on the queue's thread before anything else.
  virtual void enterThread() {}
  // Called when nothing more will be launched: waits for what was, and ends the device's own threads that wait for it.
  virtual void stop() {}

  // Any thread. Aligned to 64 bytes; throws ERR_OUT_OF_MEMORY. A block that is released may be given out again at once:
  // a backend with a stream orders its uses there.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* data, size_t bytes) noexcept = 0;
  virtual MemoryUse memoryUse() const = 0;
  virtual size_t bytesInUse() const { return memoryUse().bytesInUse; }  // asked after every operation
  virtual void releaseCache() = 0;                                      // gives freed blocks back to the system

  // True if the host may write a new block itself, at once; else an upload goes through the queue.
  virtual bool sharesHostMemory() const = 0;
  // The source may be changed when this returns.
  virtual void copyFromHost(void* destination, const void* source, size_t bytes) = 0;
  // The destination is filled when `done` is called, on any thread.
  virtual void copyToHost(void* destination, const void* source, size_t bytes, CopyDone done) = 0;
  // Calls `done`, on any thread, when everything launched so far has run.
  virtual void finish(CopyDone done) { done(std::nullopt); }

  // Only a device that computes with threads of its own has a number of them; any thread may ask.
  virtual int threads() const { return 0; }
  virtual void setThreads(int) { throw Error("ERR_UNSUPPORTED", "this device has no number of threads"); }

  // Any thread. A device with the same kind of memory whose methods run on the thread that calls them, to the same
  // bits; null where there can be none. Each must be used by one thread at a time.
  virtual std::shared_ptr<Device> immediate() { return nullptr; }

  // Any thread. The default lays the parameters side by side.
  virtual GruLayout gruLayout(int64_t inputSize, int64_t hiddenSize, int64_t layers, int64_t directions,
                              bool hasBias) const;

  // Any thread. The most time steps that one `gru` of the reset-after cell takes; longer ones are cut by the caller.
  virtual int64_t mostGruSteps() const { return std::numeric_limits<int64_t>::max(); }

  // What was measured to choose between ways of computing, a line each, and lines to be followed from now on (of a
  // checkpoint). Any thread.
  virtual std::vector<std::string> choices() const { return {}; }
  virtual void followChoices(const std::vector<std::string>&) {}

#define CUDNN_GRU_DEVICE_METHOD(name, Type) virtual void name(const ops::Type& operation) = 0;
  CUDNN_GRU_OPERATIONS(CUDNN_GRU_DEVICE_METHOD)
#undef CUDNN_GRU_DEVICE_METHOD
};

// One device as `devices()` shows it. A backend that cannot run here still lists what it lacks and the remedy.
struct DeviceReport {
  std::string name;  // 'cpu', 'cuda:0'
  bool available = false;
  std::string description;           // 'AMD EPYC, AVX-512, 2 threads'
  std::string reason;                // why it is not available, and what to do; empty when it is
  std::vector<std::string> details;  // what was looked for, where, and what was found: a line each
};

// A backend's entry in the registry.
struct Backend {
  const char* name;  // 'cpu', 'cuda'
  std::vector<DeviceReport> (*devices)();
  std::shared_ptr<Device> (*open)(int index);  // throws Error with the reason when there is no such device
};

}  // namespace cudnn_gru
