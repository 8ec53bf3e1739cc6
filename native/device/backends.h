#pragma once

#include "device/device.h"

namespace cudnn_gru {

// Each backend's entry, defined in its own folder and listed in addon/registry.cc.
const Backend& cpuBackend();
const Backend& cudaBackend();  // native/cuda, or native/cuda/without_cuda in a build without a CUDA toolkit

}  // namespace cudnn_gru
