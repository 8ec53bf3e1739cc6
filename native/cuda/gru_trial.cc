#include "cuda/gru_trial.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <string>

#include "cuda/kernels/magnitudes.h"

namespace cudnn_gru {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kShortest = 2e-3;  // seconds of one measurement
constexpr int kLeastRuns = 3, kMostRuns = 20;
constexpr double kHopeless = 3;  // times as slow as the fastest so far: not measured further

int64_t bucket(int64_t size) {
  int64_t power = 1;
  while (power < size) power *= 2;
  return power;
}

const char* nameOf(ops::Precision precision) {
  constexpr const char* kNames[] = {"float32", "tf32", "float16", "bfloat16"};
  return kNames[int(precision)];
}

// What a choice is for: everything that decides which method is fastest.
std::string keyOf(const CudaDevice& device, const ops::Gru& operation) {
  const auto number = [](int64_t value) { return std::to_string(value); };
  return device.name() + "; cuDNN " + number(int64_t(cudnn().cudnnGetVersion())) + "; " +
         (operation.saved ? "training" : "inference") + "; " + nameOf(operation.precision) + "; layers " +
         number(operation.layers) + (operation.dropout > 0 ? " with dropout" : "") + ", directions " +
         number(operation.directions) + ", " + number(operation.inputSize) + " to " + number(operation.hiddenSize) +
         (operation.hasBias ? "" : " without bias") + "; time " + number(bucket(operation.time)) + ", batch " +
         number(bucket(operation.batch)) + (isFullLength(operation) ? "" : ", lengths") +
         (operation.timeMajor ? "" : ", batch first");
}

bool isSequential(const ops::GruShape& shape) { return shape.timeMajor || shape.batch == 1 || shape.time == 1; }

// What cuDNN's persistent algorithms do not take, in any size; null: nothing of this call.
const char* refusalOfPersistent(const ops::GruShape& shape) {
  if (!shape.hasBias) return "no GRU without biases";
  if (!isFullLength(shape)) return "no rows that are shorter than the sequence";
  return nullptr;
}

std::vector<GruMethod> methodsFor(const ops::Gru& operation) {
  std::vector<GruDataLayout> layouts;
  const bool full = isFullLength(operation);
  if (full) layouts.push_back(GruDataLayout::kPacked);
  // Dropout numbers the elements in time-major order.
  if (isSequential(operation) || operation.dropout > 0) {
    layouts.push_back(GruDataLayout::kTimeMajor);
  } else {
    layouts.push_back(GruDataLayout::kBatchMajor);
    if (!full) layouts.push_back(GruDataLayout::kTimeMajor);
  }
  std::vector<cudnnRNNAlgo_t> algorithms{CUDNN_RNN_ALGO_STANDARD};
  // In bfloat16 the persistent algorithms are STANDARD under another name.
  if (operation.precision != ops::Precision::kBfloat16 && !refusalOfPersistent(operation)) {
    algorithms.push_back(CUDNN_RNN_ALGO_PERSIST_STATIC);
    algorithms.push_back(CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H);
  }
  std::vector<GruMethod> methods;
  for (const cudnnRNNAlgo_t algorithm : algorithms)
    for (const GruDataLayout layout : layouts) methods.push_back({algorithm, layout});
  return methods;
}

// How far a method's results may lie from STANDARD's, relative to the largest value of each array.
float toleranceOf(ops::Precision precision) {
  switch (precision) {
    case ops::Precision::kFloat32:
      return 1e-4f;
    case ops::Precision::kTf32:
      return 1e-2f;
    case ops::Precision::kFloat16:
      return 3e-2f;
    default:
      return 1e-1f;
  }
}

// The results of one method: output, hidden, and in training the gradients of x, of the initial state and of the
// weights.
class TrialResults {
 public:
  TrialResults(CudaDevice& device, const ops::Gru& operation, int64_t weightElements) : device_(device) {
    const int64_t states = operation.layers * operation.directions * operation.batch * operation.hiddenSize;
    add(operation.time * operation.batch * operation.directions * operation.hiddenSize);
    add(states);
    if (!operation.saved) return;
    add(operation.time * operation.batch * operation.inputSize);
    add(states);
    add(weightElements);
  }
  float* at(size_t index) const { return arrays_[index].floats(); }

  bool agreesWith(const TrialResults& standard, float tolerance) const {
    for (size_t index = 0; index < arrays_.size(); ++index) {
      const int64_t count = int64_t(arrays_[index].bytes() / sizeof(float));
      Scratch largest(device_, 2);
      CUDNN_GRU_CUDA(cudaMemsetAsync(largest.data(), 0, largest.bytes(), device_.stream()));
      CUDNN_GRU_CUDA(
          kernels::largestDifference(at(index), standard.at(index), count, largest.floats(), device_.stream()));
      CUDNN_GRU_CUDA(kernels::largestMagnitude(standard.at(index), count, largest.floats() + 1, device_.stream()));
      float host[2];
      CUDNN_GRU_CUDA(cudaMemcpyAsync(host, largest.data(), sizeof host, cudaMemcpyDeviceToHost, device_.stream()));
      CUDNN_GRU_CUDA(cudaStreamSynchronize(device_.stream()));
      if (!(host[0] <= tolerance * host[1] + 1e-6f)) return false;
    }
    return true;
  }

 private:
  void add(int64_t count) {
    arrays_.emplace_back(device_, size_t(count));
    CUDNN_GRU_CUDA(cudaMemsetAsync(arrays_.back().data(), 0, arrays_.back().bytes(), device_.stream()));
  }

  CudaDevice& device_;
  std::vector<Scratch> arrays_;
};

class Trial {
 public:
  Trial(GruCudnn& engine, const ops::Gru& operation) : engine_(engine), operation_(operation) {}

  GruMethod run() {
    const GruMethod standard = standardGruMethod(operation_);
    TrialResults expected(engine_.device(), operation_, weightElements());
    GruMethod best = standard;
    double bestSeconds = measure(standard, expected, std::numeric_limits<double>::infinity());
    for (const GruMethod& method : methodsFor(operation_)) {
      if (method == standard) continue;
      try {
        TrialResults results(engine_.device(), operation_, weightElements());
        const double seconds = measure(method, results, bestSeconds);
        if (seconds >= bestSeconds || !results.agreesWith(expected, toleranceOf(operation_.precision))) continue;
        best = method;
        bestSeconds = seconds;
      } catch (const Error& error) {
        // It refuses this call, or there is not enough memory to try it.
        if (std::string(error.code()) == "ERR_DEVICE_LOST") throw;
      }
    }
    return best;
  }

 private:
  int64_t weightElements() const {
    const int64_t cells = operation_.layers * operation_.directions;
    const int64_t widest = std::max(operation_.inputSize, operation_.directions * operation_.hiddenSize);
    // As much as the parameters, and what may lie between them.
    return cells * (3 * operation_.hiddenSize * (widest + operation_.hiddenSize + 2) + 4096);
  }

  // Seconds of one call, or of a forward and its backward call, after one to warm up.
  double measure(const GruMethod& method, const TrialResults& results, double best) {
    const GruRun run(engine_, operation_, method);
    const Scratch area(engine_.device(), run.areaBytes(), 1);
    const auto seconds = [&](int runs) {
      CUDNN_GRU_CUDA(cudaStreamSynchronize(engine_.device().stream()));
      const auto begin = Clock::now();
      for (int i = 0; i < runs; ++i) once(run, results, static_cast<char*>(area.data()));
      CUDNN_GRU_CUDA(cudaStreamSynchronize(engine_.device().stream()));
      return std::chrono::duration<double>(Clock::now() - begin).count() / runs;
    };
    once(run, results, static_cast<char*>(area.data()));
    const double one = seconds(1);
    if (one > kHopeless * best) return one;
    return seconds(std::clamp(int(kShortest / one), kLeastRuns, kMostRuns));
  }

  void once(const GruRun& run, const TrialResults& results, char* area) {
    const float* initialHidden = operation_.initialHidden.floatsOrNull();
    engine_.runForward(run, operation_, {operation_.x.floats(), initialHidden, results.at(0), results.at(1)}, area);
    if (!operation_.saved) return;
    GruBackwardTensors tensors{operation_.x.floats(), initialHidden, results.at(0), results.at(0),
                               results.at(1),         results.at(2), results.at(3), nullptr};
    tensors.weightGradSpace = results.at(4);
    engine_.runBackward(run, operation_, tensors, area);
  }

  GruCudnn& engine_;
  const ops::Gru& operation_;
};

}  // namespace

GruMethod standardGruMethod(const ops::GruShape& shape) {
  if (isFullLength(shape)) return {CUDNN_RNN_ALGO_STANDARD, GruDataLayout::kPacked};
  return {CUDNN_RNN_ALGO_STANDARD,
          isSequential(shape) || shape.dropout > 0 ? GruDataLayout::kTimeMajor : GruDataLayout::kBatchMajor};
}

GruMethod chooseGruMethod(GruCudnn& engine, const ops::Gru& operation) {
  const GruMethod standard = standardGruMethod(operation);
  if (operation.algorithm == ops::GruAlgorithm::kStandard) return standard;
  if (operation.algorithm != ops::GruAlgorithm::kAuto && operation.algorithm != ops::GruAlgorithm::kTuned) {
    if (const char* refused = refusalOfPersistent(operation))
      throw Error("ERR_UNSUPPORTED", std::string("cuDNN's persistent algorithms take ") + refused +
                                         ": leave the GRU's algorithm 'auto', or give it 'standard'");
    const bool small = operation.algorithm == ops::GruAlgorithm::kPersistStaticSmallH;
    return {small ? CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H : CUDNN_RNN_ALGO_PERSIST_STATIC, standard.layout};
  }
  const std::string key = keyOf(engine.device(), operation);
  if (const auto known = GruChoices::instance().find(key)) {
    const std::vector<GruMethod> possible = methodsFor(operation);
    // A record may come from elsewhere.
    return std::find(possible.begin(), possible.end(), *known) == possible.end() ? standard : *known;
  }
  if (operation.algorithm == ops::GruAlgorithm::kAuto && !operation.saved) return standard;
  const GruMethod best = Trial(engine, operation).run();
  GruChoices::instance().record(key, best);
  return best;
}

}  // namespace cudnn_gru
