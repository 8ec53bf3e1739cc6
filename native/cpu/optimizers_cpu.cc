#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/optimizers_kernels.h"

// Each operation goes through all its parameters in one parallel region.
namespace cudnn_gru {
namespace {

// Tensors seen as one long range, for sharing among threads whatever their sizes.
class Concatenated {
 public:
  explicit Concatenated(const std::vector<View>& views) : ends_(views.size()) {
    int64_t end = 0;
    for (size_t i = 0; i < views.size(); ++i) ends_[i] = end += int64_t(views[i].count);
  }

  int64_t count() const { return ends_.empty() ? 0 : ends_.back(); }

  // run(tensor, first element, number of elements) for the tensors' parts that make up begin..end
  template <class Run>
  void forParts(int64_t begin, int64_t end, const Run& run) const {
    size_t i = size_t(std::upper_bound(ends_.begin(), ends_.end(), begin) - ends_.begin());
    for (; begin < end; ++i) {
      const int64_t start = i == 0 ? 0 : ends_[i - 1], taken = std::min(ends_[i], end) - begin;
      if (taken > 0) run(i, begin - start, taken);
      begin += taken;
    }
  }

 private:
  std::vector<int64_t> ends_;
};

template <class Run>
void forTensors(ThreadTeam& team, const std::vector<View>& views, const Run& run) {
  const Concatenated all(views);
  parallelRanges(team, all.count(), kElementGrain, [&](int64_t begin, int64_t end) { all.forParts(begin, end, run); });
}

// The sum of squares of each tensor.
std::vector<double> sumsOfSquares(ThreadTeam& team, const std::vector<View>& views) {
  struct Piece {
    const float* x;
    int64_t count;
    size_t tensor;
  };
  std::vector<Piece> pieces;
  for (size_t i = 0; i < views.size(); ++i)
    for (int64_t at = 0, count = int64_t(views[i].count); at < count; at += kSumPiece)
      pieces.push_back({views[i].floats() + at, std::min(kSumPiece, count - at), i});
  std::vector<double> pieceSums(pieces.size());
  parallelRanges(team, int64_t(pieces.size()), rowGrain(kSumPiece), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) pieceSums[i] = optimizersKernels().sumOfSquares(pieces[i].x, pieces[i].count);
  });
  std::vector<double> sums(views.size());
  for (size_t i = 0; i < pieces.size(); ++i) sums[pieces[i].tensor] += pieceSums[i];
  return sums;
}

float limitOf(double clipValue) { return clipValue > 0 ? float(clipValue) : std::numeric_limits<float>::infinity(); }

GradientUse gradientUse(const ops::Update& operation, double weightDecay) {
  return {operation.norm.floats()[1], limitOf(operation.clipValue), float(weightDecay)};
}

bool isSkipped(const ops::Update& operation) { return operation.counts.ints()[3] == 1; }
double stepNumber(const ops::Update& operation) { return double(operation.counts.ints()[0]); }

MovingAverage movingAverage(double rate) { return {float(rate), float(1 - rate)}; }

// A state that not every variant keeps.
float* stateOrNull(const std::vector<View>& states, size_t tensor, int64_t at) {
  return states.empty() ? nullptr : states[tensor].floats() + at;
}

}  // namespace

void CpuDevice::gradientNorm(const ops::GradientNorm& operation) {
  const std::vector<double> sums = sumsOfSquares(team_, operation.gradients);
  // The square of a finite float32 is finite in float64, so a sum that is not has met a NaN or an infinity.
  const auto bad = std::find_if(sums.begin(), sums.end(), [](double sum) { return !std::isfinite(sum); });
  double total = 0;
  for (double sum : sums) total += sum;
  const double norm = std::sqrt(total);
  const double factor = operation.clipNorm > 0 ? operation.clipNorm / (norm + 1e-6) : 1.0;
  operation.norm.floats()[0] = float(norm);
  operation.norm.floats()[1] = float(factor > 1 ? 1.0 : factor);
  int32_t* counts = operation.counts.ints();
  const bool skipped = bad != sums.end();
  ++counts[skipped ? 1 : 0];
  counts[2] = skipped ? int32_t(bad - sums.begin()) : -1;
  counts[3] = skipped ? 1 : 0;
}

void CpuDevice::clipGradients(const ops::ClipGradients& operation) {
  const float scale = operation.norm ? operation.norm.floats()[1] : 1.0f;
  const float limit = limitOf(operation.clipValue);
  forTensors(team_, operation.gradients, [&](size_t tensor, int64_t at, int64_t count) {
    optimizersKernels().clip(scale, limit, operation.gradients[tensor].floats() + at, count);
  });
}

void CpuDevice::sgd(const ops::Sgd& operation) {
  if (isSkipped(operation)) return;
  SgdStep step;
  step.gradient = gradientUse(operation, operation.weightDecay);
  step.learningRate = float(operation.learningRate);
  // The first velocity is the gradient itself, whatever an earlier run left there.
  const bool first = stepNumber(operation) == 1;
  step.velocity = {float(operation.momentum), first ? 1.0f : float(1 - operation.dampening)};
  step.nesterov = operation.nesterov;
  forTensors(team_, operation.parameters, [&](size_t tensor, int64_t at, int64_t count) {
    float* velocity = stateOrNull(operation.velocities, tensor, at);
    if (first && velocity) std::fill_n(velocity, count, 0.0f);
    optimizersKernels().sgd(step, operation.parameters[tensor].floats() + at, operation.gradients[tensor].floats() + at,
                            velocity, count);
  });
}

void CpuDevice::rmsprop(const ops::Rmsprop& operation) {
  if (isSkipped(operation)) return;
  RmspropStep step;
  step.gradient = gradientUse(operation, operation.weightDecay);
  step.learningRate = float(operation.learningRate);
  step.epsilon = float(operation.epsilon);
  step.momentum = float(operation.momentum);
  step.average = movingAverage(operation.alpha);
  forTensors(team_, operation.parameters, [&](size_t tensor, int64_t at, int64_t count) {
    optimizersKernels().rmsprop(step, operation.parameters[tensor].floats() + at,
                                operation.gradients[tensor].floats() + at, operation.squares[tensor].floats() + at,
                                stateOrNull(operation.averages, tensor, at),
                                stateOrNull(operation.velocities, tensor, at), count);
  });
}

void CpuDevice::adagrad(const ops::Adagrad& operation) {
  if (isSkipped(operation)) return;
  AdagradStep step;
  step.gradient = gradientUse(operation, operation.weightDecay);
  step.learningRate = float(operation.learningRate / (1 + (stepNumber(operation) - 1) * operation.learningRateDecay));
  step.epsilon = float(operation.epsilon);
  forTensors(team_, operation.parameters, [&](size_t tensor, int64_t at, int64_t count) {
    optimizersKernels().adagrad(step, operation.parameters[tensor].floats() + at,
                                operation.gradients[tensor].floats() + at, operation.squares[tensor].floats() + at,
                                count);
  });
}

void CpuDevice::adam(const ops::Adam& operation) {
  if (isSkipped(operation)) return;
  const double t = stepNumber(operation);
  AdamStep step;
  step.gradient = gradientUse(operation, operation.decoupled ? 0.0 : operation.weightDecay);
  step.parameterDecay = operation.decoupled ? float(1 - operation.learningRate * operation.weightDecay) : 1.0f;
  step.average = movingAverage(operation.beta1);
  step.square = movingAverage(operation.beta2);
  step.epsilon = float(operation.epsilon);
  step.learningRate = float(operation.learningRate / (1 - std::pow(operation.beta1, t)));
  step.rootCorrection = float(1 / std::sqrt(1 - std::pow(operation.beta2, t)));
  forTensors(team_, operation.parameters, [&](size_t tensor, int64_t at, int64_t count) {
    optimizersKernels().adam(step, operation.parameters[tensor].floats() + at,
                             operation.gradients[tensor].floats() + at, operation.averages[tensor].floats() + at,
                             operation.squares[tensor].floats() + at, stateOrNull(operation.maxima, tensor, at), count);
  });
}

}  // namespace cudnn_gru
