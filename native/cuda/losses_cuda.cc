#include "cuda/cuda_device.h"
#include "cuda/kernels/losses.h"
#include "cuda/kernels/sums.h"
#include "device/scratch.h"

// Elementwise losses, reduced or not.
namespace cudnn_gru {
namespace {

using kernels::RegressionLoss;

bool isReduced(int64_t reduction) { return ops::Reduction(reduction) != ops::Reduction::kNone; }

// What the sum of `count` losses, and so each gradient, is multiplied by.
double factorOf(int64_t reduction, int64_t count) {
  return ops::Reduction(reduction) == ops::Reduction::kMean ? 1.0 / double(count) : 1.0;
}

kernels::LossGrad lossGradOf(const View& values, int64_t reduction, int64_t count) {
  return {values.floats(), isReduced(reduction), float(factorOf(reduction, count))};
}

template <class Operation>
kernels::RegressionElements elementsOf(const Operation& operation, RegressionLoss loss) {
  return {loss, operation.x.floats(), operation.target.floats(), operation.count, float(operation.delta)};
}

template <class Operation>
kernels::BinaryElements binaryElementsOf(const Operation& operation) {
  return {operation.logits.floats(),          operation.target.floats(),
          operation.weight.floatsOrNull(),    operation.positiveWeight.floatsOrNull(),
          operation.rows * operation.columns, operation.columns};
}

void runLoss(CudaDevice& device, const ops::RegressionLoss& operation, RegressionLoss loss) {
  const auto elements = elementsOf(operation, loss);
  if (!isReduced(operation.reduction))
    return CUDNN_GRU_CUDA(kernels::regressionLosses(elements, operation.loss.floats(), device.stream()));
  const Doubles scratch(device, kernels::rowSumsScratch(1, operation.count));
  CUDNN_GRU_CUDA(kernels::regressionLossSum(elements, factorOf(operation.reduction, operation.count),
                                            operation.loss.floats(), scratch.data(), device.stream()));
}

void runLossBackward(const ops::RegressionLossBackward& operation, RegressionLoss loss, cudaStream_t stream) {
  CUDNN_GRU_CUDA(kernels::regressionLossBackward(elementsOf(operation, loss),
                                                 lossGradOf(operation.lossGrad, operation.reduction, operation.count),
                                                 operation.xGrad.floats(), stream));
}

}  // namespace

void CudaDevice::mse(const ops::Mse& operation) { runLoss(*this, operation, RegressionLoss::kSquared); }
void CudaDevice::mae(const ops::Mae& operation) { runLoss(*this, operation, RegressionLoss::kAbsolute); }
void CudaDevice::huber(const ops::Huber& operation) { runLoss(*this, operation, RegressionLoss::kHuber); }

void CudaDevice::mseBackward(const ops::MseBackward& operation) {
  runLossBackward(operation, RegressionLoss::kSquared, stream());
}
void CudaDevice::maeBackward(const ops::MaeBackward& operation) {
  runLossBackward(operation, RegressionLoss::kAbsolute, stream());
}
void CudaDevice::huberBackward(const ops::HuberBackward& operation) {
  runLossBackward(operation, RegressionLoss::kHuber, stream());
}

void CudaDevice::binaryCrossEntropy(const ops::BinaryCrossEntropy& operation) {
  const auto elements = binaryElementsOf(operation);
  if (!isReduced(operation.reduction))
    return CUDNN_GRU_CUDA(kernels::binaryCrossEntropies(elements, operation.loss.floats(), stream()));
  const Doubles scratch(*this, kernels::rowSumsScratch(1, elements.count));
  CUDNN_GRU_CUDA(kernels::binaryCrossEntropySum(elements, factorOf(operation.reduction, elements.count),
                                                operation.loss.floats(), scratch.data(), stream()));
}

void CudaDevice::binaryCrossEntropyBackward(const ops::BinaryCrossEntropyBackward& operation) {
  const auto elements = binaryElementsOf(operation);
  CUDNN_GRU_CUDA(
      kernels::binaryCrossEntropyBackward(elements, lossGradOf(operation.lossGrad, operation.reduction, elements.count),
                                          operation.logitsGrad.floats(), stream()));
}

}  // namespace cudnn_gru
