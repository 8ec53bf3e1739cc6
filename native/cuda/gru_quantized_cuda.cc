#include "cuda/cuda_device.h"

namespace cudnn_gru {

void CudaDevice::gruQuantized(const ops::GruQuantized&) {
  throw Error("ERR_UNSUPPORTED",
              "a quantized GRU runs on the CPU only; on a GPU choose precision 'float16' or 'bfloat16'");
}

}  // namespace cudnn_gru
