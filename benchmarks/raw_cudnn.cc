// cuDNN's GRU called directly, for gpu.mjs. Reads lines, answers lines:
//   prepare T B I H L D PRECISION TRAINING  →  the fastest algorithm (0, 1, 4 as cudnn.h numbers them) or 'none'
//   run N                                   →  milliseconds a call, of N calls queued before one synchronisation
// Sequences are time-major and packed; TRAINING is forward, backward of the data and of the weights.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cuda/libraries/libraries.h"

namespace {

using cudnn_gru::cudnn;

template <class Status>
void check(Status status) {
  if (int(status) != 0) throw std::runtime_error(std::to_string(int(status)));
}

// Device memory of zeros, given back with its owner. Time does not depend on the numbers, as long as they are finite.
class Memory {
 public:
  explicit Memory(size_t bytes) {
    check(cudaMalloc(&data_, bytes + 256));
    check(cudaMemset(data_, 0, bytes + 256));
  }
  Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  ~Memory() { cudaFree(data_); }
  operator void*() const { return data_; }

 private:
  void* data_ = nullptr;
};

struct Sizes {
  int time, batch, inputSize, hiddenSize, layers, directions;
  std::string precision;
  bool training;
};

// A call that keeps its descriptors and memory; `run` queues it once.
struct Case {
  std::vector<Memory> memory;
  std::function<void()> run;

  double milliseconds(int repeats) const {
    check(cudaDeviceSynchronize());
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i) run();
    check(cudaDeviceSynchronize());
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / repeats;
  }
};

Case makeCase(cudnnHandle_t handle, const Sizes& s, cudnnRNNAlgo_t algorithm) {
  const cudnnDataType_t type = s.precision == "float16"    ? CUDNN_DATA_HALF
                               : s.precision == "bfloat16" ? CUDNN_DATA_BFLOAT16
                                                           : CUDNN_DATA_FLOAT;
  const cudnnMathType_t math = s.precision == "float32" ? CUDNN_FMA_MATH
                               : s.precision == "tf32"  ? CUDNN_DEFAULT_MATH
                                                        : CUDNN_TENSOR_OP_MATH;
  const size_t element = type == CUDNN_DATA_FLOAT ? 4 : 2;
  const int features = s.directions * s.hiddenSize;
  cudnnDropoutDescriptor_t dropout;
  check(cudnn().cudnnCreateDropoutDescriptor(&dropout));
  check(cudnn().cudnnSetDropoutDescriptor(dropout, handle, 0, nullptr, 0, 0));
  cudnnRNNDescriptor_t rnn;
  check(cudnn().cudnnCreateRNNDescriptor(&rnn));
  check(cudnn().cudnnSetRNNDescriptor_v8(rnn, algorithm, CUDNN_GRU, CUDNN_RNN_DOUBLE_BIAS,
                                         s.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL,
                                         CUDNN_LINEAR_INPUT, type, CUDNN_DATA_FLOAT, math, s.inputSize, s.hiddenSize,
                                         s.hiddenSize, s.layers, dropout, CUDNN_RNN_PADDED_IO_ENABLED));
  const std::vector<int> lengths(size_t(s.batch), s.time);
  float zero = 0;
  cudnnRNNDataDescriptor_t x, y;
  for (auto [descriptor, size] : {std::pair{&x, s.inputSize}, std::pair{&y, features}}) {
    check(cudnn().cudnnCreateRNNDataDescriptor(descriptor));
    check(cudnn().cudnnSetRNNDataDescriptor(*descriptor, type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, s.time, s.batch,
                                            size, lengths.data(), &zero));
  }
  cudnnTensorDescriptor_t state;
  check(cudnn().cudnnCreateTensorDescriptor(&state));
  const int dims[3] = {s.layers * s.directions, s.batch, s.hiddenSize};
  const int strides[3] = {s.batch * s.hiddenSize, s.hiddenSize, 1};
  check(cudnn().cudnnSetTensorNdDescriptor(state, type, 3, dims, strides));

  const cudnnForwardMode_t mode = s.training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE;
  size_t weightBytes = 0, workBytes = 0, reserveBytes = 0;
  check(cudnn().cudnnGetRNNWeightSpaceSize(handle, rnn, &weightBytes));
  check(cudnn().cudnnGetRNNTempSpaceSizes(handle, rnn, mode, x, &workBytes, &reserveBytes));
  const size_t rows = size_t(s.time) * size_t(s.batch);
  const size_t stateBytes = size_t(dims[0]) * size_t(strides[0]) * element;
  Case made;
  const auto memory = [&](size_t bytes) -> void* {
    made.memory.emplace_back(bytes);
    return made.memory.back();
  };
  const size_t xBytes = rows * size_t(s.inputSize) * element, yBytes = rows * size_t(features) * element;
  void *xs = memory(xBytes), *dxs = memory(xBytes), *ys = memory(yBytes), *dys = memory(yBytes);
  void *h = memory(stateBytes), *hy = memory(stateBytes), *dh = memory(stateBytes), *dhy = memory(stateBytes);
  void *weights = memory(weightBytes), *dweights = memory(weightBytes);
  void *work = memory(workBytes), *reserve = memory(reserveBytes);
  int* onDevice = static_cast<int*>(memory(lengths.size() * sizeof(int)));
  check(cudaMemcpy(onDevice, lengths.data(), lengths.size() * sizeof(int), cudaMemcpyHostToDevice));

  made.run = [=, training = s.training] {
    check(cudnn().cudnnRNNForward(handle, rnn, mode, onDevice, x, xs, y, ys, state, h, hy, state, nullptr, nullptr,
                                  weightBytes, weights, workBytes, work, reserveBytes, training ? reserve : nullptr));
    if (!training) return;
    check(cudnn().cudnnRNNBackwardData_v8(handle, rnn, onDevice, y, ys, dys, x, dxs, state, h, dhy, dh, state, nullptr,
                                          nullptr, nullptr, weightBytes, weights, workBytes, work, reserveBytes,
                                          reserve));
    check(cudnn().cudnnRNNBackwardWeights_v8(handle, rnn, CUDNN_WGRAD_MODE_ADD, onDevice, x, xs, state, h, y, ys,
                                             weightBytes, dweights, workBytes, work, reserveBytes, reserve));
  };
  return made;
}

}  // namespace

int main() {
  if (!cudnn_gru::libraries().reason.empty()) {
    std::fprintf(stderr, "raw_cudnn: %s\n", cudnn_gru::libraries().reason.c_str());
    return 1;
  }
  cudnnHandle_t handle;
  check(cudnn().cudnnCreate(&handle));
  Case best;
  std::string line, word;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    words >> word;
    if (word == "run") {
      int repeats = 1;
      words >> repeats;
      std::printf("%.6f\n", best.milliseconds(repeats));
    } else {
      Sizes s;
      words >> s.time >> s.batch >> s.inputSize >> s.hiddenSize >> s.layers >> s.directions >> s.precision >> s.training;
      best = Case();
      double fastest = 1e30;
      int chosen = -1;
      for (cudnnRNNAlgo_t algorithm :
           {CUDNN_RNN_ALGO_STANDARD, CUDNN_RNN_ALGO_PERSIST_STATIC, CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H}) {
        try {
          Case one = makeCase(handle, s, algorithm);
          one.milliseconds(3);
          const double time = one.milliseconds(10);
          if (time >= fastest) continue;
          fastest = time;
          chosen = int(algorithm);
          best = std::move(one);
        } catch (const std::runtime_error&) {
          cudaGetLastError();  // it refuses this case
        }
      }
      std::printf("%s\n", chosen < 0 ? "none" : std::to_string(chosen).c_str());
    }
    std::fflush(stdout);
  }
  return 0;
}
