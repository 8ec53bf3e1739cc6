#include "cuda/gru_run.h"

#include <algorithm>
#include <cstring>

#include "cuda/gru_cudnn.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/magnitudes.h"

namespace cudnn_gru {
namespace {

constexpr size_t kPlace = 256;  // bytes; each array of an area begins at a multiple

}  // namespace

bool isFullLength(const ops::GruSizes& shape) {
  return std::all_of(shape.lengths.begin(), shape.lengths.end(), [&](int64_t length) { return length == shape.time; });
}

GruRun::GruRun(GruCudnn& engine, const ops::Gru& operation, const GruMethod& method)
    : device_(engine.device()),
      method_(method),
      training_(bool(operation.saved)),
      time_(operation.time),
      batch_(operation.batch),
      hiddenSize_(operation.hiddenSize),
      directions_(operation.directions),
      precision_(operation.precision),
      timeMajor_(operation.timeMajor),
      dropout_{operation.dropout, operation.seed, operation.offset} {
  const bool insideTimeMajor = method.layout != GruDataLayout::kBatchMajor;
  transposed_ = insideTimeMajor != timeMajor_ && time_ > 1 && batch_ > 1;
  for (int64_t row = 0; row < batch_; ++row) {
    lengths_.push_back(int32_t(std::max<int64_t>(1, operation.lengthOf(row))));
    if (operation.lengthOf(row) == 0) emptyRows_.push_back(row);
  }
  padded_ = !isFullLength(operation);
  deviceLengths_ = Scratch(device_, lengths_.size(), sizeof(int32_t));
  if (padded_) {
    device_.copyFromHost(deviceLengths_.data(), lengths_.data(), deviceLengths_.bytes());
  } else {
    // The same number everywhere needs nothing from the host.
    float bits;
    std::memcpy(&bits, lengths_.data(), sizeof bits);
    CUDNN_GRU_CUDA(kernels::fill(deviceLengths_.floats(), batch_, bits, device_.stream()));
  }

  const int64_t each = operation.dropout > 0 ? 1 : operation.layers;
  for (int64_t first = 0; first < operation.layers; first += each) {
    const GruStack stack{operation.layerInputSize(first),
                         hiddenSize_,
                         each,
                         directions_,
                         operation.hasBias,
                         precision_,
                         method.algorithm};
    const bool isFirst = first == 0, isLast = first + each == operation.layers;
    segments_.push_back(
        {first, each, engine.configuration(stack), GruCallDescriptors(stack, method.layout, time_, batch_, lengths_)});
    GruSegment& segment = segments_.back();
    segment.ownX = !isFirst || converts() || hasEmptyRows() || !isAligned(operation.x.data());
    segment.ownY = !isLast || converts() || !isAligned(operation.output.data());
    segment.ownInitialHidden =
        operation.initialHidden && (hasEmptyRows() || copies(operation.initialHidden.floats() + stateAt(segment)));
    CUDNN_GRU_CUDA(cudnn().cudnnGetRNNTempSpaceSizes(
        engine.handle(), segment.configuration.rnn(), training_ ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
        segment.descriptors.x, &segment.workspaceBytes, &segment.reserveBytes));
    if (segment.ownX) segment.xAt = place(size_t(sequenceElements(stack.inputSize)) * elementBytes());
    if (segment.ownY) segment.yAt = place(size_t(sequenceElements(features())) * elementBytes());
    if (segment.ownInitialHidden) segment.initialHiddenAt = place(size_t(stateElements(segment)) * elementBytes());
    if (training_) segment.reserveAt = place(segment.reserveBytes);
  }
}

size_t GruRun::place(size_t bytes) {
  const size_t at = areaBytes_;
  areaBytes_ += (bytes + kPlace - 1) / kPlace * kPlace;
  return at;
}

void GruRun::transpose(const float* from, float* to, int64_t features, bool fromTimeMajor) const {
  transposeSequence(device_, from, to, fromTimeMajor ? time_ : batch_, fromTimeMajor ? batch_ : time_, features);
}

void GruRun::sequenceIn(const float* outside, void* inside, int64_t features, const float* factor) const {
  const int64_t count = sequenceElements(features);
  Scratch turned;
  if (transposed_) {
    float* to = static_cast<float*>(inside);
    if (half()) {
      turned = Scratch(device_, size_t(count));
      to = turned.floats();
    }
    transpose(outside, to, features, timeMajor_);
    if (!half() && !factor) return;
    outside = to;
  }
  stateIn(outside, inside, count, factor);
}

void GruRun::sequenceOut(const void* inside, float* outside, int64_t features, const float* factor) const {
  const int64_t count = sequenceElements(features);
  if (!transposed_) return stateOut(inside, outside, count, factor);
  Scratch straight;
  const float* from = static_cast<const float*>(inside);
  if (half() || factor) {
    straight = Scratch(device_, size_t(count));
    stateOut(inside, straight.floats(), count, factor);
    from = straight.floats();
  }
  transpose(from, outside, features, !timeMajor_);
}

void GruRun::stateIn(const float* outside, void* inside, int64_t count, const float* factor) const {
  Scratch scaled;
  if (factor) {
    float* to = static_cast<float*>(inside);
    if (half()) {
      scaled = Scratch(device_, size_t(count));
      to = scaled.floats();
    }
    CUDNN_GRU_CUDA(kernels::multiplyBy(outside, to, count, factor, device_.stream()));
    if (!half()) return;
    outside = to;
  }
  toPrecision(device_, outside, inside, count, precision_);
}

void GruRun::stateOut(const void* inside, float* outside, int64_t count, const float* factor) const {
  fromPrecision(device_, inside, outside, count, precision_);
  if (factor) multiplyBy(device_, outside, count, factor);
}

void GruRun::dropout(const void* from, void* to, int64_t layer) const {
  const int64_t count = sequenceElements(features());
  if (!half()) return dropout_.apply(device_, layer, count, static_cast<const float*>(from), static_cast<float*>(to));
  const Scratch floats(device_, size_t(count));
  fromPrecision(device_, from, floats.floats(), count, precision_);
  dropout_.apply(device_, layer, count, floats.floats(), floats.floats());
  toPrecision(device_, floats.floats(), to, count, precision_);
}

void GruRun::clearEmptyRows(void* inside, int64_t features) const {
  const bool timeMajor = method_.layout != GruDataLayout::kBatchMajor;
  const size_t stride = size_t(timeMajor ? features : time_ * features) * elementBytes();
  for (int64_t row : emptyRows_)
    CUDNN_GRU_CUDA(cudaMemsetAsync(static_cast<char*>(inside) + size_t(row) * stride, 0,
                                   size_t(features) * elementBytes(), device_.stream()));
}

void GruRun::clearEmptyStates(void* inside, int64_t stacked) const {
  const size_t bytes = size_t(hiddenSize_) * elementBytes();
  for (int64_t layer = 0; layer < stacked; ++layer)
    for (int64_t row : emptyRows_)
      CUDNN_GRU_CUDA(cudaMemsetAsync(static_cast<char*>(inside) + size_t(layer * batch_ + row) * bytes, 0, bytes,
                                     device_.stream()));
}

void GruRun::clearEmptyOutputs(float* outside) const {
  const int64_t stride = timeMajor_ ? features() : time_ * features();
  for (int64_t row : emptyRows_)
    CUDNN_GRU_CUDA(cudaMemsetAsync(outside + row * stride, 0, size_t(features()) * sizeof(float), device_.stream()));
}

void GruRun::passEmptyStates(const float* from, float* to, int64_t stacked) const {
  const size_t bytes = size_t(hiddenSize_) * sizeof(float);
  for (int64_t layer = 0; layer < stacked; ++layer)
    for (int64_t row : emptyRows_) {
      const int64_t at = (layer * batch_ + row) * hiddenSize_;
      if (from)
        CUDNN_GRU_CUDA(cudaMemcpyAsync(to + at, from + at, bytes, cudaMemcpyDeviceToDevice, device_.stream()));
      else
        CUDNN_GRU_CUDA(cudaMemsetAsync(to + at, 0, bytes, device_.stream()));
    }
}

}  // namespace cudnn_gru
