#include "cuda/gru_cudnn.h"
#include "cuda/gru_reset_before.h"

namespace cudnn_gru {
namespace {

constexpr size_t kBfloat16Cudnn = 91300;
constexpr int kBfloat16Capability = 80;

// For a GRU by cuDNN in bfloat16.
void requireBfloat16(const CudaDevice& device) {
  const std::string other = "; or compute in 'float16'";
  const size_t version = cudnn().cudnnGetVersion();
  if (device.computeCapability() < kBfloat16Capability)
    throw Error("ERR_UNSUPPORTED", "gru: cuDNN computes in 'bfloat16' from compute capability 8.0 on, and " +
                                       device.name() + " has " + std::to_string(device.computeCapability() / 10) + "." +
                                       std::to_string(device.computeCapability() % 10) + ": take a newer GPU" + other);
  if (version < kBfloat16Cudnn)
    throw Error("ERR_UNSUPPORTED", "gru: cuDNN computes in 'bfloat16' from version 9.13 on, and this is " +
                                       cudnnVersion(version) + ": install a newer one" + other);
}

}  // namespace

GruLayout CudaDevice::gruLayout(int64_t inputSize, int64_t hiddenSize, int64_t layers, int64_t directions,
                                bool hasBias) const {
  return gru_->layout(inputSize, hiddenSize, layers, directions, hasBias);
}

int64_t CudaDevice::mostGruSteps() const { return kMostGruSteps; }

std::vector<std::string> CudaDevice::choices() const { return GruChoices::instance().lines(); }
void CudaDevice::followChoices(const std::vector<std::string>& lines) { GruChoices::instance().follow(lines); }

void CudaDevice::gru(const ops::Gru& operation) {
  if (operation.resetBefore) {
    runResetBefore(*this, operation);
    return;
  }
  if (operation.precision == ops::Precision::kBfloat16) requireBfloat16(*this);
  gru_->forward(operation);
}

void CudaDevice::gruBackward(const ops::GruBackward& operation) {
  if (operation.resetBefore)
    runResetBeforeBackward(*this, operation);
  else
    gru_->backward(operation);
}

}  // namespace cudnn_gru
