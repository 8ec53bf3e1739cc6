#include "cuda/gru_weight_block.h"

#include <string>

#include "cuda/alignment.h"
#include "cuda/gru_conversions.h"

namespace cudnn_gru {
namespace {

struct KeptConversion {
  uint64_t version;
  Scratch data;
};

void convertWeights(CudaDevice& device, const float* from, const GruConfiguration& configuration, void* to) {
  toPrecision(device, from, to, configuration.layout().elements, configuration.stack().precision);
}

}  // namespace

float* blockOf(const std::vector<View>& views, int64_t first, const GruLayout& layout) {
  const View& start = views[first];
  const int64_t base = int64_t(start.offset) - layout.offsets[0];
  if (base < 0 || base + layout.elements > int64_t(start.buffer->bytes() / sizeof(float))) return nullptr;
  for (size_t i = 0; i < layout.offsets.size(); ++i) {
    const View& view = views[first + i];
    if (view.buffer != start.buffer || int64_t(view.offset) != base + layout.offsets[i]) return nullptr;
  }
  return static_cast<float*>(start.buffer->data()) + base;
}

GruWeightBlock::GruWeightBlock(CudaDevice& device, const std::vector<View>& views, int64_t first,
                               const GruConfiguration& configuration) {
  const GruLayout& layout = configuration.layout();
  const ops::Precision precision = configuration.stack().precision;
  const float* block = blockOf(views, first, layout);
  if (block && isHalf(precision)) {
    Buffer& buffer = *views[first].buffer;
    const std::string key = "gru weights " + std::to_string(int(precision)) + " " + std::to_string(views[first].offset);
    std::shared_ptr<void>& slot = buffer.derived()[key];
    const auto found = std::static_pointer_cast<KeptConversion>(slot);
    if (!found || found->version != buffer.version()) {
      Scratch data(device, size_t(layout.elements), elementBytes(precision));
      convertWeights(device, block, configuration, data.data());
      slot = std::make_shared<KeptConversion>(KeptConversion{buffer.version(), std::move(data)});
    }
    kept_ = slot;
    data_ = std::static_pointer_cast<KeptConversion>(slot)->data.data();
    return;
  }
  if (!block || !isAligned(block)) {
    packed_ = Scratch(device, size_t(layout.elements));
    CUDNN_GRU_CUDA(cudaMemsetAsync(packed_.data(), 0, packed_.bytes(), device.stream()));
    for (size_t i = 0; i < layout.offsets.size(); ++i) {
      const View& view = views[first + i];
      CUDNN_GRU_CUDA(cudaMemcpyAsync(packed_.floats() + layout.offsets[i], view.data(), view.bytes(),
                                     cudaMemcpyDeviceToDevice, device.stream()));
    }
    block = packed_.floats();
  }
  data_ = block;
  if (isHalf(precision)) {
    converted_ = Scratch(device, size_t(layout.elements), elementBytes(precision));
    convertWeights(device, block, configuration, converted_.data());
    data_ = converted_.data();
  }
}

GruGradientBlock::GruGradientBlock(CudaDevice& device, const std::vector<View>* views, int64_t first,
                                   const GruConfiguration& configuration, float* space)
    : device_(device), views_(views), first_(first), configuration_(configuration) {
  const GruLayout& layout = configuration.layout();
  const ops::Precision precision = configuration.stack().precision;
  whole_ = views ? blockOf(*views, first, layout) : space;
  inPlace_ = whole_ && (isHalf(precision) || isAligned(whole_));
  if (!inPlace_) {
    packed_ = Scratch(device, size_t(layout.elements));
    whole_ = packed_.floats();
  }
  data_ = whole_;
  if (isHalf(precision)) {
    half_ = Scratch(device, size_t(layout.elements), elementBytes(precision));
    data_ = half_.data();
  }
  CUDNN_GRU_CUDA(cudaMemsetAsync(data_, 0, configuration.weightBytes(), device.stream()));
}

int64_t GruGradientBlock::spaceFor(const GruConfiguration& configuration) {
  constexpr int64_t kStep = kAlignment / sizeof(float);
  return (configuration.layout().elements + kStep - 1) / kStep * kStep;
}

void GruGradientBlock::finish(const float* factor) {
  const GruLayout& layout = configuration_.layout();
  if (half_.data()) fromPrecision(device_, half_.data(), whole_, layout.elements, configuration_.stack().precision);
  if (factor) multiplyBy(device_, whole_, layout.elements, factor);
  if (inPlace_) return;
  for (size_t i = 0; i < layout.offsets.size(); ++i) {
    const View& view = (*views_)[first_ + i];
    CUDNN_GRU_CUDA(cudaMemcpyAsync(view.data(), whole_ + layout.offsets[i], view.bytes(), cudaMemcpyDeviceToDevice,
                                   device_.stream()));
  }
}

}  // namespace cudnn_gru
