#pragma once

#include "device/device.h"

namespace cudnn_gru {

// Defined by native/cuda, or by native/cuda/without_cuda in a build that has no CUDA toolkit.
const Backend& cudaBackend();

}  // namespace cudnn_gru
