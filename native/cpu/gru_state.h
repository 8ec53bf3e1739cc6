#pragma once

#include <cstdint>

#include "cpu/cpu_device.h"
#include "cpu/gru_rows.h"

// What `saved` holds between gru and gruBackward: of every layer and direction the gates, [steps and rows that exist,
// 4, hiddenSize], then of every layer but the last its output before dropout, [time, batch, directions * hiddenSize].
namespace cudnn_gru {

struct GruSaved {
  int64_t gatesFloats, outputFloats;  // of one cell, of one layer
  int64_t layers, directions;

  GruSaved(const ops::GruShape& shape, const GruOrder& order)
      : gatesFloats(order.total() * 4 * shape.hiddenSize),
        outputFloats(shape.time * shape.batch * shape.directions * shape.hiddenSize),
        layers(shape.layers),
        directions(shape.directions) {}

  int64_t floats() const { return layers * directions * gatesFloats + (layers - 1) * outputFloats; }
  float* gates(float* saved, int64_t layer, int64_t direction) const {
    return saved + (layer * directions + direction) * gatesFloats;
  }
  float* output(float* saved, int64_t layer) const {
    return saved + layers * directions * gatesFloats + layer * outputFloats;
  }
};

// y = dropout of x, both [time, batch, directions * hiddenSize], after layer `layer`; also its own gradient.
void applyGruDropout(CpuDevice& device, const ops::GruShape& shape, int64_t layer, const float* x, float* y);

// Zeroes a sequence of `features` where rows have ended.
void zeroPadding(const ops::GruSizes& shape, const Sequence& sequence, int64_t features);

// The state after each row's last valid step: [batch, hiddenSize].
void copyFinalState(const GruCell& cell, float* to);

}  // namespace cudnn_gru
