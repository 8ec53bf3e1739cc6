#include "cuda/gru_cudnn.h"
#include "cuda/gru_reset_before.h"

namespace cudnn_gru {

GruLayout CudaDevice::gruLayout(int64_t inputSize, int64_t hiddenSize, int64_t layers, int64_t directions,
                                bool hasBias) const {
  return gru_->layout(inputSize, hiddenSize, layers, directions, hasBias);
}

std::vector<std::string> CudaDevice::choices() const { return GruChoices::instance().lines(); }
void CudaDevice::followChoices(const std::vector<std::string>& lines) { GruChoices::instance().follow(lines); }

void CudaDevice::gru(const ops::Gru& operation) {
  if (operation.resetBefore)
    runResetBefore(*this, operation);
  else
    gru_->forward(operation);
}

void CudaDevice::gruBackward(const ops::GruBackward& operation) {
  if (operation.resetBefore)
    runResetBeforeBackward(*this, operation);
  else
    gru_->backward(operation);
}

}  // namespace cudnn_gru
