#pragma once

#include "cuda/cuda_device.h"

namespace cudnn_gru {

// The reset-before GRU, which cuDNN lacks: the input's products for all steps at once by cuBLASLt, then two products
// and two kernels a step. Inside, sequences are time-major.
void runResetBefore(CudaDevice& device, const ops::Gru& operation);
void runResetBeforeBackward(CudaDevice& device, const ops::GruBackward& operation);

}  // namespace cudnn_gru
