#include "cuda/gru_cudnn.h"

#include "cuda/gru_trial.h"

namespace cudnn_gru {
namespace {

constexpr const char* kRunKey = "gru run";

}  // namespace

GruCudnn::~GruCudnn() {
  configurations_.clear();
  if (handle_) cudnn().cudnnDestroy(handle_);
  if (layoutHandle_) cudnn().cudnnDestroy(layoutHandle_);
}

cudnnHandle_t GruCudnn::handle() {
  if (!handle_) {
    CUDNN_GRU_CUDA(cudnn().cudnnCreate(&handle_));
    CUDNN_GRU_CUDA(cudnn().cudnnSetStream(handle_, device_.stream()));
  }
  return handle_;
}

const GruConfiguration& GruCudnn::configuration(const GruStack& stack) {
  std::unique_ptr<GruConfiguration>& slot = configurations_[stack];
  if (!slot) slot = std::make_unique<GruConfiguration>(handle(), stack);
  return *slot;
}

GruLayout GruCudnn::layout(int64_t inputSize, int64_t hiddenSize, int64_t layers, int64_t directions, bool hasBias) {
  std::lock_guard<std::mutex> lock(layoutMutex_);
  CUDNN_GRU_CUDA(cudaSetDevice(device_.index()));  // JavaScript's thread may have opened another one since
  if (!layoutHandle_) CUDNN_GRU_CUDA(cudnn().cudnnCreate(&layoutHandle_));
  const GruStack stack{
      inputSize, hiddenSize, layers, directions, hasBias, ops::Precision::kFloat32, CUDNN_RNN_ALGO_STANDARD};
  return GruConfiguration(layoutHandle_, stack).layout();
}

std::shared_ptr<GruRun> GruCudnn::start(const ops::Gru& operation, const GruMethod& method) {
  const bool training = bool(operation.saved);
  auto run = std::make_shared<GruRun>(*this, operation, method);
  Scratch inferenceArea;
  char* area;
  if (training) {
    operation.saved.buffer->resize(run->areaBytes());
    area = static_cast<char*>(operation.saved.buffer->data());
  } else {
    inferenceArea = Scratch(device_, run->areaBytes(), 1);
    area = static_cast<char*>(inferenceArea.data());
  }
  runForward(*run, operation,
             {operation.x.floats(), operation.initialHidden.floatsOrNull(), operation.output.floats(),
              operation.hidden.floats()},
             area);
  return run;
}

void GruCudnn::forward(const ops::Gru& operation) {
  const GruMethod method = chooseGruMethod(*this, operation);
  std::shared_ptr<GruRun> run;
  try {
    run = start(operation, method);
  } catch (const Error& error) {
    // What was measured at another size of the same bucket may refuse this one.
    const GruMethod standard = standardGruMethod(operation);
    const bool asked =
        operation.algorithm != ops::GruAlgorithm::kAuto && operation.algorithm != ops::GruAlgorithm::kTuned;
    if (asked || method == standard || std::string(error.code()) != "ERR_UNSUPPORTED") throw;
    run = start(operation, standard);
  }
  if (operation.saved) operation.saved.buffer->derived()[kRunKey] = run;
}

void GruCudnn::backward(const ops::GruBackward& operation) {
  const auto run = std::static_pointer_cast<GruRun>(operation.saved.buffer->derived()[kRunKey]);
  CUDNN_GRU_CHECK(run != nullptr, "gruBackward without its forward operation");
  GruBackwardTensors tensors{operation.x.floats(),
                             operation.initialHidden.floatsOrNull(),
                             operation.output.floats(),
                             operation.outputGrad.floatsOrNull(),
                             operation.hiddenGrad.floatsOrNull(),
                             operation.xGrad.floatsOrNull(),
                             operation.initialHiddenGrad.floatsOrNull(),
                             operation.weightGrads.empty() ? nullptr : &operation.weightGrads};
  runBackward(*run, operation, tensors, static_cast<char*>(operation.saved.buffer->data()));
}

}  // namespace cudnn_gru
