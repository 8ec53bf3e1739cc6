#include <algorithm>

#include "cpu/gru_backward.h"
#include "cpu/gru_state.h"

namespace cudnn_gru {
namespace {

GruWeightGradients gradientsOf(const ops::GruBackward& operation, int64_t layer, int64_t direction) {
  const View* views =
      operation.weightGrads.data() + (layer * operation.directions + direction) * operation.weightsPerCell();
  return {views[0].floats(), views[1].floats(), operation.hasBias ? views[2].floats() : nullptr,
          operation.hasBias ? views[3].floats() : nullptr};
}

}  // namespace

void CpuDevice::gruBackward(const ops::GruBackward& operation) {
  ops::requireFloat32(operation.precision, "gruBackward");
  const int64_t h = operation.hiddenSize, features = operation.directions * h, states = operation.batch * h;
  const GruOrder order(operation);
  const GruSaved layout(operation, order);
  float* saved = operation.saved.floats();
  // With dropout, what a layer read is made again from what the layer below gave.
  const bool dropout = operation.dropout > 0 && operation.layers > 1;
  const bool between = operation.layers > 1;
  Scratch scratch(*this,
                  size_t(operation.directions * states + (between ? layout.outputFloats * (dropout ? 3 : 2) : 0)));
  float* carries = scratch.floats();
  float* grads[2] = {carries + operation.directions * states,
                     carries + operation.directions * states + layout.outputFloats};
  float* dropped = grads[1] + layout.outputFloats;
  const std::vector<float> zeros(h);

  Sequence outputGrad;
  if (operation.outputGrad)
    outputGrad = sequenceOf(operation.outputGrad.floats(), operation, features, operation.timeMajor);
  for (int64_t layer = operation.layers - 1; layer >= 0; --layer) {
    const bool last = layer == operation.layers - 1;
    const int64_t inputSize = operation.layerInputSize(layer);
    const Sequence output = last ? sequenceOf(operation.output.floats(), operation, features, operation.timeMajor)
                                 : sequenceOf(layout.output(saved, layer), operation, features, true);
    Sequence x = sequenceOf(operation.x.floats(), operation, inputSize, operation.timeMajor);
    if (layer > 0) {
      float* below = layout.output(saved, layer - 1);
      if (dropout && !operation.weightGrads.empty()) applyGruDropout(*this, operation, layer - 1, below, dropped);
      x = sequenceOf(dropout ? dropped : below, operation, inputSize, true);
    }
    std::vector<GruCellBackward> cells;
    for (int64_t d = 0; d < operation.directions; ++d) {
      const int64_t state = (layer * operation.directions + d) * states;
      GruCellBackward cell;
      cell.cell = {&order,
                   d == 1,
                   inputSize,
                   h,
                   x,
                   {output.data + d * h, output.timeStride, output.rowStride},
                   operation.initialHidden ? operation.initialHidden.floats() + state : nullptr,
                   layout.gates(saved, layer, d),
                   zeros.data()};
      cell.weights = packGruTransposed(*this, operation, layer, d);
      cell.outputGrad = outputGrad;
      if (outputGrad.data) cell.outputGrad.data += d * h;
      cell.carry = operation.initialHiddenGrad ? operation.initialHiddenGrad.floats() + state : carries + d * states;
      if (operation.hiddenGrad)
        std::copy_n(operation.hiddenGrad.floats() + state, states, cell.carry);
      else
        std::fill_n(cell.carry, states, 0.0f);
      cells.push_back(cell);
    }
    runGruLayerBackward(*this, cells, operation.resetBefore);
    if (!operation.weightGrads.empty())
      for (int64_t d = 0; d < operation.directions; ++d)
        computeGruWeightGradients(*this, cells[d].cell, operation.resetBefore, gradientsOf(operation, layer, d));
    if (layer == 0 && !operation.xGrad) break;
    const Sequence xGrad = layer == 0 ? sequenceOf(operation.xGrad.floats(), operation, inputSize, operation.timeMajor)
                                      : sequenceOf(grads[layer % 2], operation, inputSize, true);
    zeroPadding(operation, xGrad, inputSize);
    for (int64_t d = 0; d < operation.directions; ++d)
      computeGruInputGradient(*this, cells[d].cell, packGruInputGradient(*this, operation, layer, d), xGrad, d > 0);
    if (layer > 0 && dropout) applyGruDropout(*this, operation, layer - 1, xGrad.data, xGrad.data);
    outputGrad = xGrad;
  }
}

}  // namespace cudnn_gru
