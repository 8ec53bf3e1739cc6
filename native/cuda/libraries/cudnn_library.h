#pragma once

#include <cudnn.h>

// What we use of cuDNN 9.
#define CUDNN_GRU_CUDNN_FUNCTIONS(X) \
  X(cudnnGetVersion)                 \
  X(cudnnGetCudartVersion)           \
  X(cudnnGetErrorString)             \
  X(cudnnGetLastErrorString)         \
  X(cudnnCreate)                     \
  X(cudnnDestroy)                    \
  X(cudnnSetStream)                  \
  X(cudnnCreateTensorDescriptor)     \
  X(cudnnDestroyTensorDescriptor)    \
  X(cudnnSetTensorNdDescriptor)      \
  X(cudnnGetTensorNdDescriptor)      \
  X(cudnnCreateDropoutDescriptor)    \
  X(cudnnDestroyDropoutDescriptor)   \
  X(cudnnSetDropoutDescriptor)       \
  X(cudnnCreateRNNDescriptor)        \
  X(cudnnDestroyRNNDescriptor)       \
  X(cudnnSetRNNDescriptor_v8)        \
  X(cudnnCreateRNNDataDescriptor)    \
  X(cudnnDestroyRNNDataDescriptor)   \
  X(cudnnSetRNNDataDescriptor)       \
  X(cudnnGetRNNWeightSpaceSize)      \
  X(cudnnGetRNNWeightParams)         \
  X(cudnnGetRNNTempSpaceSizes)       \
  X(cudnnRNNForward)                 \
  X(cudnnRNNBackwardData_v8)         \
  X(cudnnRNNBackwardWeights_v8)

namespace cudnn_gru {

struct CudnnLibrary {
#define CUDNN_GRU_MEMBER(name) decltype(&::name) name = nullptr;
  CUDNN_GRU_CUDNN_FUNCTIONS(CUDNN_GRU_MEMBER)
#undef CUDNN_GRU_MEMBER
};

}  // namespace cudnn_gru
