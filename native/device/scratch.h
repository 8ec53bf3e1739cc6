#pragma once

#include <cstddef>
#include <utility>

#include "device/device.h"

namespace cudnn_gru {

// Device memory that lasts as long as this object: an operation's scratch space, packed weights.
class Scratch {
 public:
  Scratch() = default;
  Scratch(Device& device, size_t count) : Scratch(device, count, sizeof(float)) {}
  Scratch(Device& device, size_t count, size_t elementBytes)
      : device_(&device), bytes_(count * elementBytes), data_(count ? device.allocate(bytes_) : nullptr) {}
  Scratch(Scratch&& other) noexcept { *this = std::move(other); }
  Scratch& operator=(Scratch&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Scratch() {
    if (data_) device_->release(data_, bytes_);
  }

  void* data() const { return data_; }
  float* floats() const { return static_cast<float*>(data_); }
  size_t bytes() const { return bytes_; }

 private:
  Device* device_ = nullptr;
  size_t bytes_ = 0;
  void* data_ = nullptr;
};

// The same for partial sums in float64.
class Doubles : private Scratch {
 public:
  Doubles(Device& device, int64_t count) : Scratch(device, size_t(count), sizeof(double)) {}
  double* data() const { return static_cast<double*>(Scratch::data()); }
};

}  // namespace cudnn_gru
