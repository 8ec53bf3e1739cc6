#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "cuda/gru_run.h"

namespace cudnn_gru {

// What a forward pass reads and writes, outside.
struct GruForwardTensors {
  const float* x;
  const float* initialHidden;  // or null
  float* output;
  float* hidden;
};

struct GruBackwardTensors {
  const float* x;
  const float* initialHidden;  // or null
  const float* output;
  const float* outputGrad;               // or null
  const float* hiddenGrad;               // or null
  float* xGrad;                          // or null
  float* initialHiddenGrad;              // or null
  const std::vector<View>* weightGrads;  // or null
  float* weightGradSpace = nullptr;      // instead: segment by segment as cuDNN lays them out
};

// The reset-after GRU by cuDNN, on one device.
class GruCudnn {
 public:
  explicit GruCudnn(CudaDevice& device) : device_(device) {}
  ~GruCudnn();

  // Any thread; the rest on the queue's.
  GruLayout layout(int64_t inputSize, int64_t hiddenSize, int64_t layers, int64_t directions, bool hasBias);

  void forward(const ops::Gru& operation);
  void backward(const ops::GruBackward& operation);

  CudaDevice& device() const { return device_; }
  cudnnHandle_t handle();
  const GruConfiguration& configuration(const GruStack& stack);

  // `area`: run.areaBytes(), which backward needs as forward left it.
  void runForward(const GruRun& run, const ops::GruShape& shape, const GruForwardTensors& tensors, char* area);
  void runBackward(const GruRun& run, const ops::GruShape& shape, const GruBackwardTensors& tensors, char* area);

 private:
  std::shared_ptr<GruRun> start(const ops::Gru& operation, const GruMethod& method);

  CudaDevice& device_;
  cudnnHandle_t handle_ = nullptr;
  std::map<GruStack, std::unique_ptr<GruConfiguration>> configurations_;
  // Layers are made on JavaScript's thread, which does not wait for the queue's: a handle of its own.
  std::mutex layoutMutex_;
  cudnnHandle_t layoutHandle_ = nullptr;
};

}  // namespace cudnn_gru
