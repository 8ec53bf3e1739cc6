#include "cpu/simd/gru_kernels.h"
#include "cpu/simd/math.h"
#include "cpu/simd/tile.h"
#include "cpu/simd/vec.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

constexpr int kGates = 3;

CUDNN_GRU_INLINE Vec read(const float* p, int64_t lanes) { return lanes == kWidth ? load(p) : loadPartial(p, lanes); }
CUDNN_GRU_INLINE void write(float* p, int64_t lanes, Vec v) {
  if (lanes == kWidth)
    store(p, v);
  else
    storePartial(p, lanes, v);
}

// sum = biases + x W for `panelCount` panels side by side
template <int rows, int panelCount>
CUDNN_GRU_INLINE void projectTile(Vec (&sum)[rows][panelCount * kGates], const float* const* x, int64_t inputSize,
                                  const float* inputPanels, const float* biases, int64_t panel) {
  for (int p = 0; p < panelCount; ++p)
    for (int g = 0; g < kGates; ++g) {
      const Vec bias = load(biases + ((panel + p) * 4 + g) * kWidth);
      for (int r = 0; r < rows; ++r) sum[r][p * kGates + g] = bias;
    }
  const int64_t panelFloats = inputSize * kGates * kWidth;
  multiplyTile<rows, panelCount, kGates>(sum, x, 0, 1, inputSize, inputPanels + panel * panelFloats, panelFloats);
}

template <int rows, int panelCount>
static void projectionTile(const GruProjection& projection, int64_t row, int64_t panel) {
  Vec sum[rows][panelCount * kGates];
  projectTile<rows, panelCount>(sum, projection.x + row, projection.inputSize, projection.inputPanels,
                                projection.biases, panel);
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < panelCount * kGates; ++v)
      store(projection.out[row + r] + (panel * kGates + v) * kWidth, sum[r][v]);
}

template <int rows, int panelCount>
static void afterTile(const GruStep& step, int64_t row, int64_t panel) {
  Vec sum[rows][panelCount * kGates];  // of r, z, and first the input's, then the state's share of n
  Vec candidate[rows][panelCount];
  if (step.projected) {
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < panelCount * kGates; ++v)
        sum[r][v] = load(step.projected[row + r] + (panel * kGates + v) * kWidth);
  } else {
    projectTile<rows, panelCount>(sum, step.x + row, step.inputSize, step.inputPanels, step.biases, panel);
  }
  for (int p = 0; p < panelCount; ++p) {
    const Vec bias = load(step.biases + ((panel + p) * 4 + 3) * kWidth);
    for (int r = 0; r < rows; ++r) {
      candidate[r][p] = sum[r][p * kGates + 2];
      sum[r][p * kGates + 2] = bias;
    }
  }
  const int64_t panelFloats = step.hiddenSize * kGates * kWidth;
  multiplyTile<rows, panelCount, kGates>(sum, step.hidden + row, 0, 1, step.hiddenSize,
                                         step.hiddenPanels + panel * panelFloats, panelFloats);
  for (int p = 0; p < panelCount; ++p) {
    const int64_t unit = (panel + p) * kWidth;
    const int64_t lanes = step.hiddenSize - unit < kWidth ? step.hiddenSize - unit : kWidth;
    for (int r = 0; r < rows; ++r) {
      const Vec reset = sigmoid(sum[r][p * kGates]), update = sigmoid(sum[r][p * kGates + 1]);
      const Vec q = sum[r][p * kGates + 2];
      const Vec n = tanh(fma(reset, q, candidate[r][p]));
      const Vec h = read(step.hidden[row + r] + unit, lanes);
      write(step.next[row + r] + unit, lanes, fma(update, h - n, n));
      if (step.gates) {
        float* gates = step.gates[row + r] + unit;
        write(gates, lanes, n);
        write(gates + step.hiddenSize, lanes, reset);
        write(gates + 2 * step.hiddenSize, lanes, update);
        write(gates + 3 * step.hiddenSize, lanes, q);
      }
    }
  }
}

// Up to three rows alone would wait for each multiply-add to finish: there several panels side by side give independent
// sums.
constexpr int panelsBeside(int rows) { return rows == 1 ? 4 : 2; }

template <class Tile>
CUDNN_GRU_INLINE void forRowsAndPanels(int64_t rows, int64_t first, int64_t last, const Tile& tile) {
  int64_t panel = first;
  const auto side = [&](auto tileRows) {
    constexpr int kPanels = panelsBeside(decltype(tileRows)::value);
    for (; panel + kPanels <= last; panel += kPanels) tile(tileRows, Constant<kPanels>{}, int64_t(0), panel);
  };
  if (rows == 1) side(Constant<1>{});
  if (rows == 2) side(Constant<2>{});
  if constexpr (kTileRows > 4)  // there are registers for 18 sums
    if (rows == 3) side(Constant<3>{});
  for (; panel < last; ++panel)
    forTiles(rows, [&](auto tileRows, int64_t row) { tile(tileRows, Constant<1>{}, row, panel); });
}

static void project(const GruProjection& projection) {
  forRowsAndPanels(projection.rows, projection.firstPanel, projection.lastPanel,
                   [&](auto rows, auto panels, int64_t row, int64_t panel) {
                     projectionTile<decltype(rows)::value, decltype(panels)::value>(projection, row, panel);
                   });
}

static void stepAfter(const GruStep& step) {
  forRowsAndPanels(step.rows, step.firstPanel, step.lastPanel, [&](auto rows, auto panels, int64_t row, int64_t panel) {
    afterTile<decltype(rows)::value, decltype(panels)::value>(step, row, panel);
  });
}

enum class Gate { kReset, kUpdate, kCandidate };

template <Gate gate, int rows, int vectors>
static void beforeTile(const GruGateStep& step, int64_t row, int64_t column, int64_t columns) {
  Vec sum[rows][vectors];
  for (int v = 0; v < vectors; ++v) {
    const int64_t lanes = columns - v * kWidth < kWidth ? columns - v * kWidth : kWidth;
    const Vec bias = read(step.bias + column + v * kWidth, lanes);
    for (int r = 0; r < rows; ++r) sum[r][v] = bias;
  }
  multiplyTile<rows, 1, vectors>(sum, step.x + row, 0, 1, step.inputSize, step.inputPanels + column * step.inputSize,
                                 0);
  multiplyTile<rows, 1, vectors>(sum, step.recurrent + row, 0, 1, step.hiddenSize,
                                 step.hiddenPanels + column * step.hiddenSize, 0);
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) {
      const int64_t unit = column + v * kWidth;
      const int64_t lanes = columns - v * kWidth < kWidth ? columns - v * kWidth : kWidth;
      float* gates = step.gates[row + r] + unit;
      const float* hidden = step.hidden[row + r] + unit;
      if (gate == Gate::kReset) {
        const Vec reset = sigmoid(sum[r][v]);
        write(gates + step.hiddenSize, lanes, reset);
        write(gates + 3 * step.hiddenSize, lanes, reset * read(hidden, lanes));
      } else if (gate == Gate::kUpdate) {
        write(gates + 2 * step.hiddenSize, lanes, sigmoid(sum[r][v]));
      } else {
        const Vec n = tanh(sum[r][v]);
        write(gates, lanes, n);
        const Vec update = read(gates + 2 * step.hiddenSize, lanes);
        write(step.next[row + r] + unit, lanes, fma(update, read(hidden, lanes) - n, n));
      }
    }
}

template <Gate gate>
static void gateBefore(const GruGateStep& step) {
  forPanels(step.begin, step.end, [&](auto vectors, int64_t column, int64_t columns) {
    forTiles(step.rows, [&](auto rows, int64_t row) {
      beforeTile<gate, decltype(rows)::value, decltype(vectors)::value>(step, row, column, columns);
    });
  });
}

const GruKernels& gruTable() {
  static constexpr GruKernels table{project, stepAfter, gateBefore<Gate::kReset>, gateBefore<Gate::kUpdate>,
                                    gateBefore<Gate::kCandidate>};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
