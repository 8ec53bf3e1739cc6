#pragma once

#include <string>
#include <vector>

namespace cudnn_gru {

// The folders in which NVIDIA's libraries are looked for, in order; an empty string stands for the system's loader.
//   CUDNN_GRU_LIBRARY_PATH   if set: there and nowhere else (but the driver)
//   CUDNN_PATH, CUDA_PATH, CUDA_HOME: the folder itself and its lib folders
//   the system's loader (LD_LIBRARY_PATH, ld.so.cache)
//   /usr/local/cuda*, the newest first
//   nvidia/*/lib of the wheels in the Python of $VIRTUAL_ENV, of $CONDA_PREFIX, of each python3 on the PATH, of the
//   user and of the system
std::vector<std::string> libraryFolders();

// What to do where one is missing: the wheels of cuDNN and cuBLAS for this major version of CUDA.
std::string wheelRemedy(int cudaMajor);

// Paths of the existing files of this name in the folders, and for the system's loader the name itself.
std::vector<std::string> candidates(const std::vector<std::string>& folders, const std::string& fileName);

// The file of this name beside a library, or beside what that is a link to; where it is there under a fuller name only,
// as libcudnn_ops.so.9.14.0, that one. Empty if there is none.
std::string besideLibrary(const std::string& library, const std::string& fileName);

}  // namespace cudnn_gru
