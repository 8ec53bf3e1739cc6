#pragma once

#include <string>
#include <vector>

#include "cuda/libraries/cublas_lt_library.h"
#include "cuda/libraries/cudnn_library.h"
#include "cuda/libraries/driver_library.h"

namespace cudnn_gru {

// NVIDIA's libraries, opened at run time. Where something is missing, `reason` says what and what to do, and the tables
// may be empty.
struct Libraries {
  DriverLibrary driver;
  CublasLtLibrary cublasLt;
  CudnnLibrary cudnn;
  std::string reason;                // empty: all there, and their versions fit
  std::vector<std::string> details;  // each library, each path that was tried, each error of the loader: a line each
  std::string description;           // 'CUDA 13.0 driver, cuDNN 9.14.0, cuBLAS 13.0.2'
};

// Opened at the first call, once in a process; any thread.
const Libraries& libraries();
inline const CublasLtLibrary& cublasLt() { return libraries().cublasLt; }
inline const CudnnLibrary& cudnn() { return libraries().cudnn; }

// 91400 is 9.14.0; before version 9, 8907 was 8.9.7.
inline std::string cudnnVersion(size_t version) {
  const size_t major = version < 10000 ? 1000 : 10000;
  return std::to_string(version / major) + "." + std::to_string(version % major / 100) + "." +
         std::to_string(version % 100);
}

}  // namespace cudnn_gru
