// In place of native/cuda/libraries/libraries.cc: tables of stand-ins that are part of the addon.
#include "cuda/libraries/libraries.h"

namespace cudnn_gru {
namespace {

Libraries standIns() {
  Libraries all;
#define CUDNN_GRU_STAND_IN(name) all.cublasLt.name = &::name;
#define CUDNN_GRU_STAND_IN_CUDNN(name) all.cudnn.name = &::name;
  CUDNN_GRU_CUBLAS_LT_FUNCTIONS(CUDNN_GRU_STAND_IN)
  CUDNN_GRU_CUDNN_FUNCTIONS(CUDNN_GRU_STAND_IN_CUDNN)
#undef CUDNN_GRU_STAND_IN_CUDNN
#undef CUDNN_GRU_STAND_IN
  all.description = "emulated";
  all.details = {"emulated: stand-ins for the CUDA runtime, cuBLASLt and cuDNN, to test without a GPU"};
  return all;
}

}  // namespace

const Libraries& libraries() {
  static const Libraries all = standIns();
  return all;
}

}  // namespace cudnn_gru
