# The CUDA backend on a GPU that is emulated on the CPU: its own sources, kernels too compiled as C++, over stand-ins for the CUDA runtime,
# cuBLASLt and cuDNN. Only NVIDIA's headers are needed (`npm run cuda:toolkit`).
find_path(CUDA_INCLUDE cuda_runtime_api.h HINTS ${wheels}/cu13 PATHS ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES include REQUIRED)
find_path(CUDNN_INCLUDE cudnn.h HINTS ENV CUDNN_PATH ${wheels}/cudnn PATHS ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES include REQUIRED)
message(STATUS "cudnn-gru: building with an emulated GPU, headers in ${CUDA_INCLUDE}")

set(emulation ${CMAKE_CURRENT_SOURCE_DIR}/test/native/cuda_emulation)
list(FILTER sources_cuda EXCLUDE REGEX "^native/cuda/libraries/")
set(kernel_sources ${sources_cuda})
list(FILTER kernel_sources INCLUDE REGEX "\\.cu$")
set_source_files_properties(${kernel_sources} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-xc++;-include;${emulation}/builtins.h"
                                                       COMPILE_DEFINITIONS CUDNN_GRU_MOST_BLOCKS=3)
list(APPEND backend_sources ${sources_cuda})
foreach(name cublas_lt cudnn cudnn_gru_math grid libraries runtime)
  list(APPEND backend_sources ${emulation}/${name}.cc)
endforeach()
list(APPEND backend_includes ${CUDA_INCLUDE} ${CUDNN_INCLUDE})
