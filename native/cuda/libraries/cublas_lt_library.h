#pragma once

#include <cublasLt.h>

// What we use of cuBLASLt.
#define CUDNN_GRU_CUBLAS_LT_FUNCTIONS(X)  \
  X(cublasLtCreate)                       \
  X(cublasLtDestroy)                      \
  X(cublasLtGetVersion)                   \
  X(cublasLtGetCudartVersion)             \
  X(cublasLtGetStatusString)              \
  X(cublasLtMatmul)                       \
  X(cublasLtMatmulAlgoGetHeuristic)       \
  X(cublasLtMatmulDescCreate)             \
  X(cublasLtMatmulDescDestroy)            \
  X(cublasLtMatmulDescSetAttribute)       \
  X(cublasLtMatmulPreferenceCreate)       \
  X(cublasLtMatmulPreferenceDestroy)      \
  X(cublasLtMatmulPreferenceSetAttribute) \
  X(cublasLtMatrixLayoutCreate)           \
  X(cublasLtMatrixLayoutDestroy)          \
  X(cublasLtMatrixLayoutSetAttribute)

namespace cudnn_gru {

struct CublasLtLibrary {
#define CUDNN_GRU_MEMBER(name) decltype(&::name) name = nullptr;
  CUDNN_GRU_CUBLAS_LT_FUNCTIONS(CUDNN_GRU_MEMBER)
#undef CUDNN_GRU_MEMBER
};

}  // namespace cudnn_gru
