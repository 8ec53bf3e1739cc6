#include "cpu/gru_weights.h"

#include "cpu/gemm.h"
#include "cpu/packed_weights.h"
#include "cpu/simd/gemm_kernels.h"

namespace cudnn_gru {
namespace {

std::string kind(const char* what, int64_t columns) {
  return std::string("gru ") + what + " " + std::to_string(columns);
}

// [3H, columns] in panels of r, z and n of `width` units; missing units of the last panel are 0.
const float* packInterleaved(CpuDevice& device, const View& weight, int64_t hiddenSize, int64_t columns) {
  const int64_t width = gemmKernels().width, panels = gruPanels(hiddenSize);
  const int64_t lanes = panels * 3 * width;
  return packedWeights(device, weight, kind("after", columns), panelFloats(columns, lanes), [&](float* to) {
    const std::vector<float> zeros(columns);
    std::vector<const float*> rows(lanes, zeros.data());
    for (int64_t gate = 0; gate < 3; ++gate)
      for (int64_t unit = 0; unit < hiddenSize; ++unit)
        rows[(unit / width * 3 + gate) * width + unit % width] = weight.floats() + (gate * hiddenSize + unit) * columns;
    packPanels(device.team(), {rows.data(), 0}, true, columns, lanes, to);
  });
}

// [3H, columns] gate by gate.
const float* packGates(CpuDevice& device, const View& weight, int64_t hiddenSize, int64_t columns) {
  const int64_t each = panelFloats(columns, hiddenSize);
  return packedWeights(device, weight, kind("before", columns), 3 * each, [&](float* to) {
    const auto rows = rowsOf(weight.floats(), 3 * hiddenSize, columns);
    for (int64_t gate = 0; gate < 3; ++gate)
      packPanels(device.team(), {rows.data() + gate * hiddenSize, 0}, true, columns, hiddenSize, to + gate * each);
  });
}

}  // namespace

int64_t gruPanels(int64_t hiddenSize) {
  const int64_t width = gemmKernels().width;
  return (hiddenSize + width - 1) / width;
}

GruWeights packGruWeights(CpuDevice& device, const ops::GruShape& shape, int64_t layer, int64_t direction) {
  const int64_t h = shape.hiddenSize, in = shape.layerInputSize(layer);
  const View &w = shape.weight(layer, direction, 0), &u = shape.weight(layer, direction, 1);
  const float* inputBias = shape.hasBias ? shape.weight(layer, direction, 2).floats() : nullptr;
  const float* hiddenBias = shape.hasBias ? shape.weight(layer, direction, 3).floats() : nullptr;
  GruWeights result;
  if (shape.resetBefore) {
    result.input = packGates(device, w, h, in);
    result.hidden = packGates(device, u, h, h);
    result.inputGateFloats = panelFloats(in, h);
    result.hiddenGateFloats = panelFloats(h, h);
    result.biases.assign(3 * h, 0);
    if (inputBias)
      for (int64_t i = 0; i < 3 * h; ++i) result.biases[i] = inputBias[i] + hiddenBias[i];
    return result;
  }
  result.input = packInterleaved(device, w, h, in);
  result.hidden = packInterleaved(device, u, h, h);
  const int64_t width = gemmKernels().width;
  result.biases.assign(gruPanels(h) * 4 * width, 0);
  if (inputBias)
    for (int64_t unit = 0; unit < h; ++unit) {
      float* to = result.biases.data() + unit / width * 4 * width + unit % width;
      to[0] = inputBias[unit] + hiddenBias[unit];
      to[width] = inputBias[h + unit] + hiddenBias[h + unit];
      to[2 * width] = inputBias[2 * h + unit];
      to[3 * width] = hiddenBias[2 * h + unit];
    }
  return result;
}

GruTransposedWeights packGruTransposed(CpuDevice& device, const ops::GruShape& shape, int64_t layer,
                                       int64_t direction) {
  const int64_t h = shape.hiddenSize, first = shape.resetBefore ? 2 * h : 3 * h;
  const View& u = shape.weight(layer, direction, 1);
  const int64_t count = panelFloats(first, h);
  const float* state = packedWeights(device, u, kind(shape.resetBefore ? "gates" : "state", h),
                                     count + panelFloats(3 * h - first, h), [&](float* to) {
                                       const auto rows = rowsOf(u.floats(), 3 * h, h);
                                       packPanels(device.team(), {rows.data(), 0}, false, first, h, to);
                                       if (first < 3 * h)
                                         packPanels(device.team(), {rows.data() + first, 0}, false, h, h, to + count);
                                     });
  return {state, state + count};
}

const float* packGruInputGradient(CpuDevice& device, const ops::GruShape& shape, int64_t layer, int64_t direction) {
  const int64_t h = shape.hiddenSize, in = shape.layerInputSize(layer);
  const View& w = shape.weight(layer, direction, 0);
  return packedWeights(device, w, kind("input", in), panelFloats(3 * h, in), [&](float* to) {
    std::vector<const float*> rows(3 * h);
    for (int64_t i = 0; i < 3 * h; ++i) rows[i] = w.floats() + (i < h ? 2 * h + i : i - h) * in;
    packPanels(device.team(), {rows.data(), 0}, false, 3 * h, in, to);
  });
}

}  // namespace cudnn_gru
