#include <algorithm>
#include <cmath>

#include "cuda/cuda_device.h"
#include "cuda/kernels/random.h"

namespace cudnn_gru {

void CudaDevice::randomUniform(const ops::RandomUniform& operation) {
  const float low = float(operation.low), high = float(operation.high);
  const float largest = low < high ? std::nextafter(high, low) : low;
  CUDNN_GRU_CUDA(kernels::randomUniform(operation.out.floats(), operation.count, operation.seed, operation.offset, low,
                                        high, largest, stream()));
}

void CudaDevice::randomNormal(const ops::RandomNormal& operation) {
  CUDNN_GRU_CUDA(kernels::randomNormal(operation.out.floats(), operation.count, operation.seed, operation.offset,
                                       operation.mean, operation.deviation, stream()));
}

void CudaDevice::dropout(const ops::Dropout& operation) {
  const uint32_t threshold = uint32_t(std::min(std::ceil(operation.probability * 0x1p32), 4294967295.0));
  CUDNN_GRU_CUDA(kernels::dropout(operation.x.floats(), operation.y.floats(), operation.count, operation.seed,
                                  operation.offset, threshold, float(1 / (1 - operation.probability)), stream()));
}

}  // namespace cudnn_gru
