#pragma once

#include <memory>
#include <string>

#include "cpu/cpu_device.h"

namespace cudnn_gru {

// Weights in the kernels' own order, kept with the buffer they were made from until that is written again. `kind` tells
// apart what is made from the same weights; fill(floats) packs `count` floats.
template <class Fill>
const float* packedWeights(CpuDevice& device, const View& weight, const std::string& kind, int64_t count,
                           const Fill& fill) {
  struct Packed {
    uint64_t version;
    Scratch memory;
  };
  Buffer& buffer = *weight.buffer;
  const std::string key = kind + "@" + std::to_string(weight.offset) + "+" + std::to_string(weight.count);
  std::shared_ptr<void>& slot = buffer.derived()[key];
  auto* packed = static_cast<Packed*>(slot.get());
  if (packed && packed->version == buffer.version()) return packed->memory.floats();
  slot.reset();  // the old memory first: the new one is of the same size
  auto fresh = std::make_shared<Packed>(Packed{buffer.version(), Scratch(device, size_t(count))});
  fill(fresh->memory.floats());
  slot = fresh;
  return fresh->memory.floats();
}

}  // namespace cudnn_gru
