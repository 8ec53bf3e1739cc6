#pragma once

#include <cstdint>

#include "cuda/gru_run.h"

namespace cudnn_gru {

// What a reset-before GRU keeps from its forward to its backward pass, in floats: of every layer its input (of the
// first only if the user's is not time-major or has padding), and of every direction the gates [time, batch, 3H], the
// states before each step and the reset states, both [time, batch, H].
class ResetBeforeArea {
 public:
  explicit ResetBeforeArea(const ops::GruShape& shape)
      : shape_(shape),
        transposes_(!shape.timeMajor && shape.time > 1 && shape.batch > 1),
        ownsInput_(transposes_ || !isFullLength(shape)) {}

  bool transposes() const { return transposes_; }
  bool ownsInput() const { return ownsInput_; }
  int64_t steps() const { return shape_.time * shape_.batch; }  // of all rows
  int64_t cellFloats() const { return steps() * 5 * shape_.hiddenSize; }
  int64_t inputFloats(int64_t layer) const {
    return layer == 0 && !ownsInput_ ? 0 : steps() * shape_.layerInputSize(layer);
  }
  int64_t floats() const { return inputAt(shape_.layers); }
  // A layer's input comes first, then its directions.
  int64_t inputAt(int64_t layer) const {
    int64_t at = 0;
    for (int64_t below = 0; below < layer; ++below) at += inputFloats(below) + shape_.directions * cellFloats();
    return at;
  }
  float* gates(float* area, int64_t layer, int64_t direction) const {
    return area + inputAt(layer) + inputFloats(layer) + direction * cellFloats();
  }
  float* stateBefore(float* area, int64_t layer, int64_t direction) const {
    return gates(area, layer, direction) + steps() * 3 * shape_.hiddenSize;
  }
  float* resetStates(float* area, int64_t layer, int64_t direction) const {
    return stateBefore(area, layer, direction) + steps() * shape_.hiddenSize;
  }

 private:
  const ops::GruShape& shape_;
  bool transposes_, ownsInput_;
};

}  // namespace cudnn_gru
