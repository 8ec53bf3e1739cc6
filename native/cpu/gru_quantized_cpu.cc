#include <algorithm>
#include <cmath>

#include "cpu/gru_quantized.h"
#include "cpu/gru_state.h"

namespace cudnn_gru {
namespace {

// The fixed scale of the state in int8 is that of [-1, 1].
void checkInitialHidden(const ops::GruQuantized& operation) {
  if (!operation.int8 || !operation.initialHidden) return;
  const float* values = operation.initialHidden.floats();
  for (size_t i = 0; i < operation.initialHidden.count; ++i)
    if (!(std::fabs(values[i]) <= 1))
      throw Error("ERR_UNSUPPORTED", "gruQuantized: initialHidden holds " + std::to_string(values[i]) + " at index " +
                                         std::to_string(i) +
                                         "; int8 needs states from -1 to 1 (use bfloat16 for others)");
}

}  // namespace

void CpuDevice::gruQuantized(const ops::GruQuantized& operation) {
  checkInitialHidden(operation);
  const int64_t h = operation.hiddenSize, features = operation.directions * h;
  const GruOrder order(operation);
  // Outputs of the layers between: a layer reads one and writes the other.
  const int64_t outputFloats = operation.time * operation.batch * features;
  Scratch between(*this, size_t(std::min<int64_t>(operation.layers - 1, 2) * outputFloats));
  const std::vector<float> zeros(h);

  Sequence x = sequenceOf(operation.x.floats(), operation, operation.inputSize, operation.timeMajor);
  for (int64_t layer = 0; layer < operation.layers; ++layer) {
    const bool last = layer == operation.layers - 1;
    const Sequence output = last ? sequenceOf(operation.output.floats(), operation, features, operation.timeMajor)
                                 : sequenceOf(between.floats() + layer % 2 * outputFloats, operation, features, true);
    zeroPadding(operation, output, features);
    std::vector<GruCell> cells;
    std::vector<QuantizedWeights> weights;
    for (int64_t d = 0; d < operation.directions; ++d) {
      const int64_t cell = layer * operation.directions + d;
      cells.push_back(
          {&order,
           d == 1,
           operation.layerInputSize(layer),
           h,
           x,
           {output.data + d * h, output.timeStride, output.rowStride},
           operation.initialHidden ? operation.initialHidden.floats() + cell * operation.batch * h : nullptr,
           nullptr,
           zeros.data()});
      weights.push_back(packQuantizedWeights(*this, operation, cell));
    }
    runQuantizedLayer(*this, operation.int8, cells, weights);
    for (int64_t d = 0; d < operation.directions; ++d)
      copyFinalState(cells[d], operation.hidden.floats() + (layer * operation.directions + d) * operation.batch * h);
    x = output;
  }
}

}  // namespace cudnn_gru
