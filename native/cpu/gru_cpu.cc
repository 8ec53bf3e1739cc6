#include <algorithm>

#include "cpu/gru_forward.h"
#include "cpu/gru_state.h"

namespace cudnn_gru {

void CpuDevice::gru(const ops::Gru& operation) {
  ops::requireFloat32(operation.precision, "gru");
  const int64_t h = operation.hiddenSize, features = operation.directions * h;
  const GruOrder order(operation);
  const GruSaved layout(operation, order);
  float* saved = nullptr;
  if (operation.saved) {
    operation.saved.buffer->resize(size_t(layout.floats()) * sizeof(float));
    saved = operation.saved.floats();
  }
  // Outputs of the layers between, when they are not saved: a layer reads one and writes the other. With dropout one
  // more, for what the next layer reads.
  const bool dropout = operation.dropout > 0 && operation.layers > 1;
  const int64_t between = saved || operation.layers == 1 ? 0 : std::min<int64_t>(operation.layers - 1, 2);
  Scratch scratch(*this, size_t(between + (dropout ? 1 : 0)) * layout.outputFloats);
  float* dropped = scratch.floats() + between * layout.outputFloats;
  const std::vector<float> zeros(h);

  Sequence x = sequenceOf(operation.x.floats(), operation, operation.inputSize, operation.timeMajor);
  for (int64_t layer = 0; layer < operation.layers; ++layer) {
    const bool last = layer == operation.layers - 1;
    float* outputData = last    ? operation.output.floats()
                        : saved ? layout.output(saved, layer)
                                : scratch.floats() + layer % 2 * layout.outputFloats;
    const Sequence output = sequenceOf(outputData, operation, features, last ? operation.timeMajor : true);
    zeroPadding(operation, output, features);
    std::vector<GruCell> cells;
    std::vector<GruWeights> weights;
    for (int64_t d = 0; d < operation.directions; ++d) {
      const int64_t state = (layer * operation.directions + d) * operation.batch * h;
      cells.push_back({&order,
                       d == 1,
                       operation.layerInputSize(layer),
                       h,
                       x,
                       {output.data + d * h, output.timeStride, output.rowStride},
                       operation.initialHidden ? operation.initialHidden.floats() + state : nullptr,
                       saved ? layout.gates(saved, layer, d) : nullptr,
                       zeros.data()});
      weights.push_back(packGruWeights(*this, operation, layer, d));
    }
    runGruLayer(*this, cells, weights, operation.resetBefore);
    for (int64_t d = 0; d < operation.directions; ++d)
      copyFinalState(cells[d], operation.hidden.floats() + (layer * operation.directions + d) * operation.batch * h);
    x = output;
    if (!last && dropout) {
      applyGruDropout(*this, operation, layer, output.data, dropped);
      x.data = dropped;
    }
  }
}

}  // namespace cudnn_gru
