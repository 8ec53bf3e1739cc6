#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "device/error.h"

namespace cudnn_gru {

class Device;

enum class DType : uint8_t { kFloat32 = 0, kInt32 = 1 };

constexpr size_t bytesOf(DType) { return 4; }  // an element's size

// One block of device memory. Memory is given by the first command that writes it and goes back to the device with the
// last reference; commands in the queue hold references, so a tensor may be disposed while its commands still wait.
// Everything but the constructor runs where the commands do, one at a time (see Queue), or before the buffer is shared.
class Buffer {
 public:
  Buffer(std::shared_ptr<Device> device, size_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  Device& device() const { return *device_; }
  size_t bytes() const { return bytes_; }
  void* data() const { return data_; }

  // Takes memory if there is none yet. Throws ERR_OUT_OF_MEMORY.
  void allocate();
  // For a buffer whose size only the device knows (a GRU's saved activations): drops the old memory, takes `bytes`.
  void resize(size_t bytes);

  // Counts the writes, so that what was derived from the contents (packed weights) can be known to be stale.
  uint64_t version() const { return version_; }
  void markWritten() {
    ++version_;
    failure_.reset();
  }

  // The command that should have filled this buffer failed: whoever reads it gets this error, and hands it on.
  const std::optional<Error>& failure() const { return failure_; }
  void fail(const Error& error) {
    ++version_;
    failure_ = error;
  }

  // A command that should have changed this buffer in place did not run: the contents are what they were, and the next
  // copy to the host answers with this error, once for the buffer. So a model survives a training step that ran out of
  // memory.
  void failInPlace(const Error& error) { skippedWrite_ = error; }
  std::optional<Error> takeSkippedWrite() { return std::exchange(skippedWrite_, std::nullopt); }

  // What a backend derived from the contents and wants to keep with them (packed weights), by the backend's own key.
  std::map<std::string, std::shared_ptr<void>>& derived() { return derived_; }

 private:
  std::shared_ptr<Device> device_;
  size_t bytes_;
  void* data_ = nullptr;
  uint64_t version_ = 0;
  std::optional<Error> failure_, skippedWrite_;
  std::map<std::string, std::shared_ptr<void>> derived_;
};

// A typed range of a buffer: what one tensor sees.
struct View {
  std::shared_ptr<Buffer> buffer;
  size_t offset = 0;  // elements
  size_t count = 0;   // elements
  DType dtype = DType::kFloat32;

  explicit operator bool() const { return buffer != nullptr; }
  size_t bytes() const { return count * bytesOf(dtype); }
  void* data() const { return static_cast<char*>(buffer->data()) + offset * bytesOf(dtype); }
  float* floats() const { return static_cast<float*>(buffer->data()) + offset; }
  float* floatsOrNull() const { return buffer ? floats() : nullptr; }
  int32_t* ints() const { return static_cast<int32_t*>(buffer->data()) + offset; }
};

}  // namespace cudnn_gru
