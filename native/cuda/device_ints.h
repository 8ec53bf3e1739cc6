#pragma once

#include <vector>

#include "cuda/cuda_device.h"
#include "device/scratch.h"

namespace cudnn_gru {

// Whole numbers of the host (lengths, steps) on the device, for one operation.
class DeviceInts {
 public:
  DeviceInts(CudaDevice& device, const std::vector<int64_t>& values)
      : scratch_(device, values.size(), sizeof(int64_t)) {
    if (!values.empty()) device.copyFromHost(scratch_.data(), values.data(), scratch_.bytes());
  }
  const int64_t* data() const { return static_cast<const int64_t*>(scratch_.data()); }  // null if there are none

 private:
  Scratch scratch_;
};

}  // namespace cudnn_gru
