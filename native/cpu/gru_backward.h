#pragma once

#include <vector>

#include "cpu/gru_rows.h"
#include "cpu/gru_weights.h"

namespace cudnn_gru {

// One cell's way back through the sequence.
struct GruCellBackward {
  GruCell cell;  // its gates become their gradients
  GruTransposedWeights weights;
  Sequence outputGrad;  // this direction's part; data null: 0
  float* carry;         // [batch, hiddenSize] in: the gradient of the final state; out: of the initial state
};

// The recurrent part of one layer, all its directions: gradients of the gates and of the initial state.
void runGruLayerBackward(CpuDevice& device, std::vector<GruCellBackward>& cells, bool resetBefore);

// The gradients of the weights of one cell from those of its gates. Null: not wanted.
struct GruWeightGradients {
  float *input, *hidden, *inputBias, *hiddenBias;
};
void computeGruWeightGradients(CpuDevice& device, const GruCell& cell, bool resetBefore, const GruWeightGradients& out);

// xGrad (+)= the gradient that reaches a cell's input; `panels` from packGruInputGradient.
void computeGruInputGradient(CpuDevice& device, const GruCell& cell, const float* panels, const Sequence& xGrad,
                             bool accumulate);

}  // namespace cudnn_gru
