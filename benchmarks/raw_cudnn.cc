// cuDNN's GRU called directly, for gpu.mjs. Reads lines, answers lines of JSON:
//   prepare T B I H L D PRECISION TRAINING WHICH  →  { "chosen": NAME or null, "candidates": [{ "name", "ms" } or { "name", "refused" }] }
//   run N                                         →  { "ms": milliseconds a call, of N calls queued before one synchronisation }
// A candidate is an algorithm (WHICH: `all`, or only `standard`), a layout of time-major sequences of full length and a math type; the fastest is
// kept for `run`. TRAINING is forward, backward of the data and of the weights.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cuda/cuda_status.h"
#include "cuda/gru_descriptors.h"
#include "cuda/libraries/libraries.h"
#include "device/error.h"

namespace {

using namespace cudnn_gru;

constexpr int kRuns = 20;

struct Sizes {
  int time, batch, inputSize, hiddenSize, layers, directions;
  std::string precision, which;
  bool training;
};

struct Candidate {
  cudnnRNNAlgo_t algorithm;
  cudnnRNNDataLayout_t layout;
  cudnnMathType_t math;
  std::string name;
};

cudnnDataType_t typeOf(const std::string& precision) {
  return precision == "float16" ? CUDNN_DATA_HALF : precision == "bfloat16" ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

std::vector<Candidate> candidatesFor(const Sizes& sizes) {
  std::vector<std::pair<cudnnRNNAlgo_t, std::string>> algorithms{{CUDNN_RNN_ALGO_STANDARD, "STANDARD"}};
  if (sizes.which == "all") {
    algorithms.emplace_back(CUDNN_RNN_ALGO_PERSIST_STATIC, "PERSIST_STATIC");
    algorithms.emplace_back(CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, "PERSIST_STATIC_SMALL_H");
  }
  std::vector<std::pair<cudnnMathType_t, std::string>> maths;
  if (sizes.precision == "float32")
    maths = {{CUDNN_FMA_MATH, ""}};
  else if (sizes.precision == "tf32")
    maths = {{CUDNN_DEFAULT_MATH, ""}};
  else
    maths = {{CUDNN_TENSOR_OP_MATH, ""}, {CUDNN_DEFAULT_MATH, ", default math"}};
  std::vector<Candidate> all;
  for (const auto& [algorithm, name] : algorithms)
    for (const auto& [math, mathName] : maths) {
      all.push_back({algorithm, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, math, name + ", packed" + mathName});
      all.push_back({algorithm, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED, math, name + ", unpacked" + mathName});
    }
  return all;
}

// Memory of the device, given back with its owner.
class Memory {
 public:
  explicit Memory(size_t bytes) { CUDNN_GRU_CUDA(cudaMalloc(&data_, bytes + 256)); }
  Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  ~Memory() {
    if (data_) cudaFree(data_);
  }
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

// A call that keeps its descriptors and memory; `run` queues it once.
class Case {
 public:
  Case(cudnnHandle_t handle, cudaStream_t stream, const Sizes& s, const Candidate& candidate) 
      : stream_(stream), type_(typeOf(s.precision)), element_(type_ == CUDNN_DATA_FLOAT ? 4 : 2) {
    const int features = s.directions * s.hiddenSize;
    CUDNN_GRU_CUDA(cudnn().cudnnSetDropoutDescriptor(noDropout_, handle, 0, nullptr, 0, 0));
    CUDNN_GRU_CUDA(cudnn().cudnnSetRNNDescriptor_v8(
        rnn_, candidate.algorithm, CUDNN_GRU, CUDNN_RNN_DOUBLE_BIAS,
        s.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, type_, CUDNN_DATA_FLOAT,
        candidate.math, s.inputSize, s.hiddenSize, s.hiddenSize, s.layers, noDropout_, CUDNN_RNN_PADDED_IO_ENABLED));
    const std::vector<int32_t> lengths(size_t(s.batch), s.time);
    float zero = 0;
    for (auto [descriptor, size] : {std::pair{&x_, s.inputSize}, std::pair{&y_, features}})
      CUDNN_GRU_CUDA(cudnn().cudnnSetRNNDataDescriptor(*descriptor, type_, candidate.layout, s.time, s.batch, size,
                                                       lengths.data(), &zero));
    const int dims[3] = {s.layers * s.directions, s.batch, s.hiddenSize};
    const int strides[3] = {s.batch * s.hiddenSize, s.hiddenSize, 1};
    CUDNN_GRU_CUDA(cudnn().cudnnSetTensorNdDescriptor(h_, type_, 3, dims, strides));

    const cudnnForwardMode_t mode = s.training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE;
    size_t weightBytes = 0, workBytes = 0, reserveBytes = 0;
    CUDNN_GRU_CUDA(cudnn().cudnnGetRNNWeightSpaceSize(handle, rnn_, &weightBytes));
    CUDNN_GRU_CUDA(cudnn().cudnnGetRNNTempSpaceSizes(handle, rnn_, mode, x_, &workBytes, &reserveBytes));
    const size_t rows = size_t(s.time) * size_t(s.batch), state = size_t(dims[0]) * size_t(strides[0]) * element_;
    const size_t xBytes = rows * size_t(s.inputSize) * element_, yBytes = rows * size_t(features) * element_;
    void *xs = random(xBytes, -1), *ys = room(yBytes), *weights = random(weightBytes, -6);
    void *h = random(state, -2), *hy = room(state), *work = room(workBytes), *reserve = room(reserveBytes);
    int32_t* onDevice = static_cast<int32_t*>(room(lengths.size() * sizeof(int32_t)));
    upload(onDevice, lengths.data(), lengths.size() * sizeof(int32_t));
    forward_ = [=] {
      CUDNN_GRU_CUDA(cudnn().cudnnRNNForward(handle, rnn_, mode, onDevice, x_, xs, y_, ys, h_, h, hy, h_, nullptr,
                                             nullptr, weightBytes, weights, workBytes, work, reserveBytes,
                                             reserveBytes ? reserve : nullptr));
    };
    if (!s.training) return;
    void *dxs = room(xBytes), *dys = random(yBytes, -10), *dh = room(state), *dhy = random(state, -10);
    void* dweights = room(weightBytes);
    CUDNN_GRU_CUDA(cudaMemsetAsync(dweights, 0, weightBytes, stream_));
    backward_ = [=] {
      CUDNN_GRU_CUDA(cudnn().cudnnRNNBackwardData_v8(handle, rnn_, onDevice, y_, ys, dys, x_, dxs, h_, h, dhy, dh, h_,
                                                     nullptr, nullptr, nullptr, weightBytes, weights, workBytes, work,
                                                     reserveBytes, reserve));
      CUDNN_GRU_CUDA(cudnn().cudnnRNNBackwardWeights_v8(handle, rnn_, CUDNN_WGRAD_MODE_ADD, onDevice, x_, xs, h_, h, y_,
                                                        ys, weightBytes, dweights, workBytes, work, reserveBytes,
                                                        reserve));
    };
  }
  Case(const Case&) = delete;

  double milliseconds(int repeats) const {
    CUDNN_GRU_CUDA(cudaStreamSynchronize(stream_));
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i) {
      forward_();
      if (backward_) backward_();
    }
    CUDNN_GRU_CUDA(cudaStreamSynchronize(stream_));
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / repeats;
  }

 private:
  void* room(size_t bytes) {
    memory_.emplace_back(bytes);
    return memory_.back().data();
  }

  // Numbers of both signs from 2^exponent to 2^(exponent + 1): a GPU is slower on numbers than on zeros.
  void* random(size_t bytes, int exponent) {
    constexpr size_t kBlock = 1 << 20;
    const bool half = type_ == CUDNN_DATA_HALF;
    const int mantissa = element_ == 4 ? 23 : half ? 10 : 7, bias = half ? 15 : 127;
    const int bits = int(element_) * 8;
    std::vector<char> block(std::min(bytes, kBlock));
    uint32_t state = 12345;
    for (size_t at = 0; at + element_ <= block.size(); at += element_) {
      state = state * 1664525u + 1013904223u;
      const uint32_t sign = state >> 31, fraction = (state >> 4) & ((1u << mantissa) - 1);
      const uint32_t number = sign << (bits - 1) | uint32_t(bias + exponent) << mantissa | fraction;
      std::memcpy(block.data() + at, &number, element_);
    }
    char* data = static_cast<char*>(room(bytes));
    for (size_t at = 0; at < bytes; at += kBlock) upload(data + at, block.data(), std::min(kBlock, bytes - at));
    return data;
  }

  void upload(void* to, const void* from, size_t bytes) {
    CUDNN_GRU_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_));
    CUDNN_GRU_CUDA(cudaStreamSynchronize(stream_));
  }

  cudaStream_t stream_;
  cudnnDataType_t type_;
  size_t element_;  // bytes
  DropoutDescriptor noDropout_;
  RnnDescriptor rnn_;
  RnnDataDescriptor x_, y_;
  TensorDescriptor h_;
  std::vector<Memory> memory_;
  std::function<void()> forward_, backward_;
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c < ' ' ? ' ' : c;
  }
  return out + "\"";
}

// Answers with what each candidate took, and leaves the fastest in `best`.
std::string prepare(cudnnHandle_t handle, cudaStream_t stream, const Sizes& sizes, std::unique_ptr<Case>& best) {
  best.reset();
  double fastest = 1e30;
  std::string chosen = "null", list;
  for (const Candidate& candidate : candidatesFor(sizes)) {
    list += (list.empty() ? "" : ", ") + ("{\"name\": " + quoted(candidate.name));
    try {
      auto one = std::make_unique<Case>(handle, stream, sizes, candidate);
      one->milliseconds(1);
      double time = one->milliseconds(2);
      // What is much slower is not worth twenty runs.
      if (time < 2 * fastest) time = one->milliseconds(kRuns);
      list += ", \"ms\": " + std::to_string(time) + "}";
      if (time >= fastest) continue;
      fastest = time;
      chosen = quoted(candidate.name);
      best = std::move(one);
    } catch (const Error& error) {
      const std::string reason = error.what();  // CUDNN_STATUS_NOT_SUPPORTED: the call
      list += ", \"refused\": " + quoted(reason.substr(0, reason.find(':'))) + "}";
    }
  }
  return "{\"chosen\": " + chosen + ", \"candidates\": [" + list + "]}";
}

}  // namespace

int main() {
  if (!libraries().reason.empty()) {
    std::fprintf(stderr, "raw_cudnn: %s\n", libraries().reason.c_str());
    return 1;
  }
  try {
    cudaStream_t stream;
    cudnnHandle_t handle;
    CUDNN_GRU_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    CUDNN_GRU_CUDA(cudnn().cudnnCreate(&handle));
    CUDNN_GRU_CUDA(cudnn().cudnnSetStream(handle, stream));
    std::unique_ptr<Case> best;
    std::string line, word;
    while (std::getline(std::cin, line)) {
      std::istringstream words(line);
      words >> word;
      std::string answer;
      if (word == "run") {
        int repeats = 1;
        words >> repeats;
        answer = best ? "{\"ms\": " + std::to_string(best->milliseconds(repeats)) + "}" : "{\"error\": \"nothing prepared\"}";
      } else {
        Sizes s;
        words >> s.time >> s.batch >> s.inputSize >> s.hiddenSize >> s.layers >> s.directions >> s.precision >>
            s.training >> s.which;
        answer = prepare(handle, stream, s, best);
      }
      std::printf("%s\n", answer.c_str());
      std::fflush(stdout);
    }
    best.reset();
    cudnn().cudnnDestroy(handle);
    cudaStreamDestroy(stream);
  } catch (const Error& error) {
    std::fprintf(stderr, "raw_cudnn: %s\n", error.what());
    return 1;
  }
  return 0;
}
