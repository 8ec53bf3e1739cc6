#pragma once

#include <vector>

#include "cpu/cpu_device.h"
#include "ops/gru.h"

// The weights of one layer and direction in the order the kernels of simd/gru_kernels.h read them; packed once per
// change of the weights. All dimensions in floats.
namespace cudnn_gru {

int64_t gruPanels(int64_t hiddenSize);  // of `width` units each, in a cell that resets after

struct GruWeights {
  // Reset after: panels with the gates side by side. Reset before: one gate after the other.
  const float* input;
  const float* hidden;
  std::vector<float> biases;  // [panels][4][width], or [3][hiddenSize]

  // Reset before: where a gate's panels (0 r, 1 z, 2 n) begin.
  const float* inputGate(int64_t gate) const { return input + gate * inputGateFloats; }
  const float* hiddenGate(int64_t gate) const { return hidden + gate * hiddenGateFloats; }
  int64_t inputGateFloats = 0, hiddenGateFloats = 0;
};
GruWeights packGruWeights(CpuDevice& device, const ops::GruShape& shape, int64_t layer, int64_t direction);

// What the backward step multiplies: U, or of reset before its rows of r and z, and its rows of n.
struct GruTransposedWeights {
  const float* state;  // 3H × H, or 2H × H
  const float* reset;  // reset before: H × H
};
GruTransposedWeights packGruTransposed(CpuDevice& device, const ops::GruShape& shape, int64_t layer, int64_t direction);

// W with its gates in the order n, r, z of the saved gradients: 3H × the layer's input size.
const float* packGruInputGradient(CpuDevice& device, const ops::GruShape& shape, int64_t layer, int64_t direction);

}  // namespace cudnn_gru
