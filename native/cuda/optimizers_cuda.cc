#include <algorithm>
#include <limits>

#include "cuda/cuda_device.h"
#include "cuda/kernels/optimizers.h"
#include "device/scratch.h"

// One launch for up to kMostTensors parameters.
namespace cudnn_gru {
namespace {

using kernels::OptimizerTensors;

// An operation's tensors, as many as go into each launch.
class Launches {
 public:
  // Of every parameter a count; where they lie is set by `set`.
  explicit Launches(const std::vector<View>& views) {
    for (size_t i = 0; i < views.size(); ++i) {
      if (i % kernels::kMostTensors == 0) launches_.emplace_back();
      OptimizerTensors& launch = launches_.back();
      const int64_t count = int64_t(views[i].count);
      launch.firstPiece[launch.count] = launch.pieces;
      launch.tensors[launch.count++] = {nullptr, nullptr, {}, count};
      launch.pieces += (count + kernels::kTensorPiece - 1) / kernels::kTensorPiece;
    }
  }

  // `views` are none, or one for each parameter.
  template <class Member>
  Launches& set(const std::vector<View>& views, const Member& member) {
    for (size_t i = 0; i < views.size(); ++i)
      member(launches_[i / kernels::kMostTensors].tensors[i % kernels::kMostTensors]) = views[i].floats();
    return *this;
  }
  Launches& setGradients(const std::vector<View>& views) {
    return set(views, [](kernels::OptimizerTensor& tensor) -> float*& { return tensor.gradient; });
  }
  Launches& setState(int number, const std::vector<View>& views) {
    return set(views, [=](kernels::OptimizerTensor& tensor) -> float*& { return tensor.states[number]; });
  }

  int64_t pieces() const {
    int64_t total = 0;
    for (const OptimizerTensors& launch : launches_) total += launch.pieces;
    return total;
  }

  // run(tensors, number of the first) for each launch
  template <class Run>
  void forEach(const Run& run) const {
    for (size_t i = 0; i < launches_.size(); ++i) CUDNN_GRU_CUDA(run(launches_[i], int(i) * kernels::kMostTensors));
  }

 private:
  std::vector<OptimizerTensors> launches_;
};

Launches launchesOf(const ops::Update& operation) {
  Launches launches(operation.parameters);
  launches.set(operation.parameters, [](kernels::OptimizerTensor& tensor) -> float*& { return tensor.parameter; });
  launches.setGradients(operation.gradients);
  return launches;
}

float limitOf(double clipValue) { return clipValue > 0 ? float(clipValue) : std::numeric_limits<float>::infinity(); }

kernels::GradientUse gradientUse(const ops::Update& operation, double weightDecay) {
  return {operation.norm.floats(), operation.counts.ints(), limitOf(operation.clipValue), float(weightDecay)};
}

kernels::MovingAverage movingAverage(double rate) { return {float(rate), float(1 - rate)}; }

}  // namespace

void CudaDevice::gradientNorm(const ops::GradientNorm& operation) {
  Launches launches(operation.gradients);
  launches.setGradients(operation.gradients);
  const int64_t pieces = launches.pieces();
  const Doubles sums(*this, pieces);
  const Scratch tensorOf(*this, size_t(pieces), sizeof(int32_t));
  double* sum = sums.data();
  int32_t* const tensorNumbers = static_cast<int32_t*>(tensorOf.data());
  int32_t* tensor = tensorNumbers;
  launches.forEach([&](const OptimizerTensors& tensors, int first) {
    const cudaError_t status = kernels::squaredNorms(tensors, first, sum, tensor, stream());
    sum += tensors.pieces;
    tensor += tensors.pieces;
    return status;
  });
  CUDNN_GRU_CUDA(kernels::finishGradientNorm(sums.data(), tensorNumbers, pieces, operation.clipNorm,
                                             operation.norm.floats(), operation.counts.ints(), stream()));
}

void CudaDevice::clipGradients(const ops::ClipGradients& operation) {
  Launches launches(operation.gradients);
  launches.setGradients(operation.gradients).forEach([&](const OptimizerTensors& tensors, int) {
    return kernels::clipGradients(tensors, operation.norm.floatsOrNull(), limitOf(operation.clipValue), stream());
  });
}

void CudaDevice::sgd(const ops::Sgd& operation) {
  const kernels::SgdStep step{
      float(operation.learningRate), {float(operation.momentum), float(1 - operation.dampening)}, operation.nesterov};
  launchesOf(operation).setState(0, operation.velocities).forEach([&](const OptimizerTensors& tensors, int) {
    return kernels::sgd(tensors, gradientUse(operation, operation.weightDecay), step, stream());
  });
}

void CudaDevice::rmsprop(const ops::Rmsprop& operation) {
  const kernels::RmspropStep step{float(operation.learningRate), float(operation.epsilon), float(operation.momentum),
                                  movingAverage(operation.alpha)};
  launchesOf(operation)
      .setState(0, operation.squares)
      .setState(1, operation.averages)
      .setState(2, operation.velocities)
      .forEach([&](const OptimizerTensors& tensors, int) {
        return kernels::rmsprop(tensors, gradientUse(operation, operation.weightDecay), step, stream());
      });
}

void CudaDevice::adagrad(const ops::Adagrad& operation) {
  const kernels::AdagradStep step{operation.learningRate, operation.learningRateDecay, float(operation.epsilon)};
  launchesOf(operation).setState(0, operation.squares).forEach([&](const OptimizerTensors& tensors, int) {
    return kernels::adagrad(tensors, gradientUse(operation, operation.weightDecay), step, stream());
  });
}

void CudaDevice::adam(const ops::Adam& operation) {
  const kernels::AdamStep step{operation.learningRate,
                               operation.beta1,
                               operation.beta2,
                               operation.decoupled ? float(1 - operation.learningRate * operation.weightDecay) : 1.0f,
                               movingAverage(operation.beta1),
                               movingAverage(operation.beta2),
                               float(operation.epsilon)};
  const auto use = gradientUse(operation, operation.decoupled ? 0.0 : operation.weightDecay);
  launchesOf(operation)
      .setState(0, operation.averages)
      .setState(1, operation.squares)
      .setState(2, operation.maxima)
      .forEach([&](const OptimizerTensors& tensors, int) { return kernels::adam(tensors, use, step, stream()); });
}

}  // namespace cudnn_gru
