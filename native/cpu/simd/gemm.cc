#include "cpu/simd/gemm_kernels.h"
#include "cpu/simd/tile.h"
#include "cpu/simd/vec.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

constexpr int64_t kPanelColumns = kPanelVectors * kWidth;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t wholeVectors(int64_t columns) { return (columns + kWidth - 1) / kWidth * kWidth; }

// One tile; `columns` of its `vectors` vectors are real.
template <int rows, int vectors>
static void tile(const GemmBlock& block, int64_t row, int64_t column, int64_t columns, const float* panel) {
  const int64_t last = columns - (vectors - 1) * kWidth;  // real lanes of the last vector
  float* const* c = block.c + row;
  const int64_t at = block.cOffset + column;
  Vec sum[rows][vectors];
  for (int v = 0; v < vectors; ++v) {
    const int64_t lanes = v == vectors - 1 ? last : kWidth;
    if (block.accumulate) {
      for (int r = 0; r < rows; ++r) {
        const float* from = c[r] + at + v * kWidth;
        sum[r][v] = lanes == kWidth ? load(from) : loadPartial(from, lanes);
      }
    } else {
      const Vec start = block.bias ? loadPartial(block.bias + column + v * kWidth, lanes) : zero();
      for (int r = 0; r < rows; ++r) sum[r][v] = start;
    }
  }
  multiplyTile<rows, 1, vectors>(sum, block.a + row, block.aOffset, block.aStride, block.depth, panel, 0);
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors - 1; ++v) store(c[r] + at + v * kWidth, sum[r][v]);
    float* to = c[r] + at + (vectors - 1) * kWidth;
    if (last == kWidth)
      store(to, sum[r][vectors - 1]);
    else
      storePartial(to, last, sum[r][vectors - 1]);
  }
}

static void multiply(const GemmBlock& block) {
  forPanels(0, block.columns, [&](auto vectors, int64_t column, int64_t columns) {
    constexpr int kVectors = decltype(vectors)::value;
    const float* panel = block.panels + column * block.panelDepth + kVectors * kWidth * block.panelRow;
    forTiles(block.rows, [&](auto rows, int64_t row) {
      tile<decltype(rows)::value, kVectors>(block, row, column, columns, panel);
    });
  });
}

static void pack(const PackBlock& block) {
  for (int64_t column = 0; column < block.columns; column += kPanelColumns) {
    const int64_t columns = smaller(kPanelColumns, block.columns - column), width = wholeVectors(columns);
    float* to = block.panels + column * block.panelDepth + block.begin * width;
    for (int64_t k = block.begin; k < block.end; ++k, to += width) {
      const float* from = block.rows[k] + block.offset + column;
      int64_t c = 0;
      for (; c + kWidth <= columns; c += kWidth) store(to + c, load(from + c));
      if (c < columns) store(to + c, loadPartial(from + c, columns - c));
    }
  }
}

static void packTransposed(const PackBlock& block) {
  constexpr int64_t kStrip = 16;  // k's of one column read at a time: a cache line
  for (int64_t column = 0; column < block.columns; column += kPanelColumns) {
    const int64_t columns = smaller(kPanelColumns, block.columns - column), width = wholeVectors(columns);
    float* panel = block.panels + column * block.panelDepth;
    for (int64_t first = block.begin; first < block.end; first += kStrip) {
      const int64_t strip = smaller(kStrip, block.end - first);
      float* to = panel + first * width;
      for (int64_t c = 0; c < columns; ++c) {
        const float* from = block.rows[column + c] + block.offset + first;
        for (int64_t k = 0; k < strip; ++k) to[k * width + c] = from[k];
      }
      for (int64_t k = 0; k < strip; ++k)
        for (int64_t c = columns; c < width; ++c) to[k * width + c] = 0;
    }
  }
}

static void gatherColumns(const float* const* rows, int64_t offset, int64_t depth, int64_t columns, float* out) {
  for (int64_t k = 0; k < depth; ++k, out += columns) {
    const float* from = rows[k] + offset;
    int64_t c = 0;
    for (; c + kWidth <= columns; c += kWidth) store(out + c, load(from + c));
    if (c < columns) storePartial(out + c, columns - c, loadPartial(from + c, columns - c));
  }
}

const GemmKernels& gemmTable() {
  static constexpr GemmKernels table{kWidth, kPanelColumns, kTileRows, multiply, pack, packTransposed, gatherColumns};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
