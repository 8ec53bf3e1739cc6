#include "cuda/cuda_device.h"

namespace cudnn_gru {
namespace {

[[noreturn]] void unsupported() { throw Error("ERR_UNSUPPORTED", "attention runs on the CPU only"); }

}  // namespace

void CudaDevice::maskedSoftmax(const ops::MaskedSoftmax&) { unsupported(); }
void CudaDevice::additiveScores(const ops::AdditiveScores&) { unsupported(); }
void CudaDevice::additiveScoresBackward(const ops::AdditiveScoresBackward&) { unsupported(); }

}  // namespace cudnn_gru
