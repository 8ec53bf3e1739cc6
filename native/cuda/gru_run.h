#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/alignment.h"
#include "cuda/cuda_device.h"
#include "cuda/gru_choices.h"
#include "cuda/gru_conversions.h"
#include "cuda/gru_descriptors.h"

namespace cudnn_gru {

class GruCudnn;

// A part of a stack that one call of cuDNN computes: all layers, or one where dropout stands between them.
struct GruSegment {
  int64_t firstLayer, layers;
  const GruConfiguration& configuration;
  GruCallDescriptors descriptors;
  size_t workspaceBytes = 0, reserveBytes = 0;
  // In the area that lasts from forward to backward, where they are not the user's own tensors: of another type or
  // order, changed on the way, or not aligned.
  bool ownX = false, ownY = false, ownInitialHidden = false;
  size_t xAt = 0, yAt = 0, initialHiddenAt = 0, reserveAt = 0;
};

// One gru operation as one method computes it: its calls, what lies where between forward and backward, and the ways in
// and out. "Inside" are the numbers and the order of the calls, "outside" those of the user's tensors.
class GruRun {
 public:
  GruRun(GruCudnn& engine, const ops::Gru& operation, const GruMethod& method);

  const GruMethod& method() const { return method_; }
  const std::vector<GruSegment>& segments() const { return segments_; }
  const GruSegment& last() const { return segments_.back(); }
  bool training() const { return training_; }
  size_t areaBytes() const { return areaBytes_; }
  const int32_t* lengths() const { return static_cast<const int32_t*>(deviceLengths_.data()); }  // on the device

  int64_t features() const { return directions_ * hiddenSize_; }  // of an output
  int64_t sequenceElements(int64_t features) const { return time_ * batch_ * features; }
  int64_t stateElements(const GruSegment& segment) const { return segment.layers * directions_ * batch_ * hiddenSize_; }
  // Where a segment's states begin in those of the whole stack.
  int64_t stateAt(const GruSegment& segment) const { return segment.firstLayer * directions_ * batch_ * hiddenSize_; }
  bool half() const { return isHalf(precision_); }
  size_t elementBytes() const { return cudnn_gru::elementBytes(precision_); }
  ops::Precision precision() const { return precision_; }
  // Whether a sequence outside, or a state, cannot be used inside as it is.
  bool converts() const { return half() || transposed_; }
  bool copies(const float* state) const { return state && (half() || !isAligned(state)); }
  bool hasPadding() const { return padded_; }
  bool hasEmptyRows() const { return !emptyRows_.empty(); }

  // Sequences and states, in and out; each value is multiplied by the number `factor` points to, on the device, if any.
  void sequenceIn(const float* outside, void* inside, int64_t features, const float* factor = nullptr) const;
  void sequenceOut(const void* inside, float* outside, int64_t features, const float* factor = nullptr) const;
  void stateIn(const float* outside, void* inside, int64_t count, const float* factor = nullptr) const;
  void stateOut(const void* inside, float* outside, int64_t count, const float* factor = nullptr) const;

  // Dropout between layers, as ops::GruShape says; its own gradient.
  void dropout(const void* from, void* to, int64_t layer) const;

  // cuDNN gives every row a step at least. A row of none is given one of zeros, which counts nowhere, and then gets
  // what it should have.
  void clearEmptyRows(void* inside, int64_t features) const;                  // a sequence
  void clearEmptyStates(void* inside, int64_t stacked) const;                 // states [stacked, batch, hiddenSize]
  void clearEmptyOutputs(float* outside) const;                               // the user's output
  void passEmptyStates(const float* from, float* to, int64_t stacked) const;  // outside; from null: 0

 private:
  size_t place(size_t bytes);
  void transpose(const float* from, float* to, int64_t features, bool fromTimeMajor) const;

  CudaDevice& device_;
  GruMethod method_;
  bool training_;
  int64_t time_, batch_, hiddenSize_, directions_;
  ops::Precision precision_;
  bool timeMajor_;   // outside
  bool transposed_;  // inside against outside
  bool padded_;
  GruDropout dropout_;
  std::vector<int32_t> lengths_;  // at least 1
  std::vector<int64_t> emptyRows_;
  Scratch deviceLengths_;
  std::vector<GruSegment> segments_;
  size_t areaBytes_ = 0;
};

// Whether every row has all steps.
bool isFullLength(const ops::GruSizes& shape);

}  // namespace cudnn_gru
