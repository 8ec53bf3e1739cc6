#include "cpu/simd/gru_kernels.h"
#include "cpu/simd/tile.h"
#include "cpu/simd/vec.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

CUDNN_GRU_INLINE Vec read(const float* p, int64_t lanes) { return lanes == kWidth ? load(p) : loadPartial(p, lanes); }
CUDNN_GRU_INLINE void write(float* p, int64_t lanes, Vec v) {
  if (lanes == kWidth)
    store(p, v);
  else
    storePartial(p, lanes, v);
}

enum class Part { kAfter, kBefore, kReset };

// One vector of units of one row, its state's gradient known (of kReset: the gradient of r * h).
template <Part part>
CUDNN_GRU_INLINE void gateGradients(const GruBackwardStep& step, int64_t row, int64_t unit, int64_t lanes, Vec grad) {
  const int64_t h = step.hiddenSize;
  const Vec one = broadcast(1.0f);
  float* gates = step.gates[row] + unit;
  float* carry = step.carry[row] + unit;
  const Vec hidden = read(step.hidden[row] + unit, lanes);
  const Vec reset = read(gates + h, lanes);
  const Vec resetSlope = reset * (one - reset);
  if (part == Part::kReset) {
    write(gates + h, lanes, grad * hidden * resetSlope);
    write(carry, lanes, fma(grad, reset, read(carry, lanes)));
    return;
  }
  const Vec n = read(gates, lanes), update = read(gates + 2 * h, lanes);
  const Vec nGrad = grad * (one - update) * fnma(n, n, one);
  write(gates, lanes, nGrad);
  write(gates + 2 * h, lanes, grad * (hidden - n) * (update * (one - update)));
  write(carry, lanes, grad * update);
  if (part == Part::kAfter) {
    const Vec q = read(gates + 3 * h, lanes);
    write(gates + h, lanes, nGrad * q * resetSlope);
    write(gates + 3 * h, lanes, nGrad * reset);
  }
}

template <Part part, int rows, int vectors>
static void tile(const GruBackwardStep& step, int64_t row, int64_t column, int64_t columns) {
  Vec sum[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) {
      const int64_t unit = column + v * kWidth;
      const int64_t lanes = columns - v * kWidth < kWidth ? columns - v * kWidth : kWidth;
      sum[r][v] = part == Part::kReset ? zero() : read(step.carry[row + r] + unit, lanes);
      if (part != Part::kReset && step.outputGrad) sum[r][v] = sum[r][v] + read(step.outputGrad[row + r] + unit, lanes);
    }
  if (step.depth > 0)
    multiplyTile<rows, 1, vectors>(sum, step.later + row, step.laterOffset, 1, step.depth,
                                   step.panels + column * step.depth, 0);
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) {
      const int64_t lanes = columns - v * kWidth < kWidth ? columns - v * kWidth : kWidth;
      gateGradients<part>(step, row + r, column + v * kWidth, lanes, sum[r][v]);
    }
}

template <Part part>
static void backward(const GruBackwardStep& step) {
  forPanels(step.begin, step.end, [&](auto vectors, int64_t column, int64_t columns) {
    forTiles(step.rows, [&](auto rows, int64_t row) {
      tile<part, decltype(rows)::value, decltype(vectors)::value>(step, row, column, columns);
    });
  });
}

const GruBackwardKernels& gruBackwardTable() {
  static constexpr GruBackwardKernels table{backward<Part::kAfter>, backward<Part::kBefore>, backward<Part::kReset>};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
