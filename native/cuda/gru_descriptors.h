#pragma once

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda/cuda_status.h"
#include "cuda/libraries/libraries.h"
#include "device/device.h"

namespace cudnn_gru {

// A descriptor of cuDNN, made and given back with this object.
template <class Descriptor, cudnnStatus_t (*CudnnLibrary::*create)(Descriptor*),
          cudnnStatus_t (*CudnnLibrary::*destroy)(Descriptor)>
class CudnnDescriptor {
 public:
  CudnnDescriptor() { CUDNN_GRU_CUDA((cudnn().*create)(&descriptor_)); }
  ~CudnnDescriptor() {
    if (descriptor_) (cudnn().*destroy)(descriptor_);
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&&) = delete;
  operator Descriptor() const { return descriptor_; }

 private:
  Descriptor descriptor_ = nullptr;
};

using TensorDescriptor = CudnnDescriptor<cudnnTensorDescriptor_t, &CudnnLibrary::cudnnCreateTensorDescriptor,
                                         &CudnnLibrary::cudnnDestroyTensorDescriptor>;
using DropoutDescriptor = CudnnDescriptor<cudnnDropoutDescriptor_t, &CudnnLibrary::cudnnCreateDropoutDescriptor,
                                          &CudnnLibrary::cudnnDestroyDropoutDescriptor>;
using RnnDescriptor = CudnnDescriptor<cudnnRNNDescriptor_t, &CudnnLibrary::cudnnCreateRNNDescriptor,
                                      &CudnnLibrary::cudnnDestroyRNNDescriptor>;
using RnnDataDescriptor = CudnnDescriptor<cudnnRNNDataDescriptor_t, &CudnnLibrary::cudnnCreateRNNDataDescriptor,
                                          &CudnnLibrary::cudnnDestroyRNNDataDescriptor>;

// What one call of cuDNN computes: a stack of layers without dropout between them.
struct GruStack {
  int64_t inputSize, hiddenSize, layers, directions;
  bool hasBias;
  ops::Precision precision;
  cudnnRNNAlgo_t algorithm;

  bool operator<(const GruStack& other) const { return key() < other.key(); }

 private:
  std::tuple<int64_t, int64_t, int64_t, int64_t, bool, ops::Precision, int> key() const {
    return {inputSize, hiddenSize, layers, directions, hasBias, precision, int(algorithm)};
  }
};

// The numbers inside a call.
cudnnDataType_t dataTypeOf(ops::Precision precision);
size_t elementBytes(ops::Precision precision);
inline bool isHalf(ops::Precision precision) { return elementBytes(precision) == 2; }

// A stack's descriptor, and where its parameters lie in cuDNN's weight space.
class GruConfiguration {
 public:
  GruConfiguration(cudnnHandle_t handle, const GruStack& stack);

  const GruStack& stack() const { return stack_; }
  cudnnRNNDescriptor_t rnn() const { return rnn_; }
  // In elements, in the order of ops::GruShape::weights.
  const GruLayout& layout() const { return layout_; }
  size_t weightBytes() const { return size_t(layout_.elements) * elementBytes(stack_.precision); }

 private:
  void readLayout(cudnnHandle_t handle);

  GruStack stack_;
  DropoutDescriptor noDropout_;
  RnnDescriptor rnn_;
  GruLayout layout_;
};

// How sequences lie inside a call: packed [time, batch, features] of full length, the same with lengths, or
// [batch, time, features] with lengths.
enum class GruDataLayout { kPacked, kTimeMajor, kBatchMajor };

// What cuDNN takes in one call, whatever the lengths.
constexpr int64_t kMostGruSteps = 65535;

// The descriptors of one call's sequences and states.
struct GruCallDescriptors {
  RnnDataDescriptor x, y;
  TensorDescriptor h;

  GruCallDescriptors(const GruStack& stack, GruDataLayout layout, int64_t time, int64_t batch,
                     const std::vector<int32_t>& lengths);
};

}  // namespace cudnn_gru
