#pragma once

// The driver (libcuda.so.1): only asked for its version. The CUDA runtime inside the addon opens it by itself.
#define CUDNN_GRU_DRIVER_FUNCTIONS(X) X(cuDriverGetVersion)

namespace cudnn_gru {

struct DriverLibrary {
  int (*cuDriverGetVersion)(int* version) = nullptr;  // 13000: up to CUDA 13.0
};

}  // namespace cudnn_gru
