#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

namespace cudnn_gru {

// Throws unless the call succeeded: ERR_OUT_OF_MEMORY, ERR_DEVICE_LOST (with the first cause, from then on),
// ERR_UNSUPPORTED where cuDNN refuses, ERR_DEVICE_UNAVAILABLE where its libraries do not fit together, or ERR_INTERNAL,
// with the failed expression and its place.
void checkCuda(cudaError_t status, const char* expression, const char* file, int line);
void checkCuda(cublasStatus_t status, const char* expression, const char* file, int line);
void checkCuda(cudnnStatus_t status, const char* expression, const char* file, int line);

#define CUDNN_GRU_CUDA(expression) ::cudnn_gru::checkCuda((expression), #expression, __FILE__, __LINE__)

}  // namespace cudnn_gru
