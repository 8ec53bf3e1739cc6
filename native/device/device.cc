#include "device/device.h"

namespace cudnn_gru {

GruLayout Device::gruLayout(int64_t inputSize, int64_t hiddenSize, int64_t layers, int64_t directions,
                            bool hasBias) const {
  GruLayout layout;
  const auto add = [&](int64_t elements) {
    layout.offsets.push_back(layout.elements);
    layout.elements += elements;
  };
  for (int64_t layer = 0; layer < layers; ++layer)
    for (int64_t direction = 0; direction < directions; ++direction) {
      add(3 * hiddenSize * (layer == 0 ? inputSize : directions * hiddenSize));
      add(3 * hiddenSize * hiddenSize);
      if (hasBias) add(3 * hiddenSize);
      if (hasBias) add(3 * hiddenSize);
    }
  return layout;
}

}  // namespace cudnn_gru
