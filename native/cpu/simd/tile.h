#pragma once

#include "cpu/simd/vec.h"

// The register tile under every matrix product: up to kTileRows rows of A times one panel of B, at most three vectors
// wide. Each output is one chain of fused multiply-adds in ascending k, whatever the tile's size: results do not depend
// on it.
namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

// As many sums as leave registers for a row of the panel and an element of A: 24 of 32 registers, or 12 of 16.
#if CUDNN_GRU_SIMD_CODE == 3 || defined(__aarch64__)
constexpr int kTileRows = 8;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kPanelVectors = 3;

// sum[r][p * vectors + v] += Σ_k a[r][offset + k * stride] * (vector v of row k of panel p); panel p starts at
// panels + p * panelStride and has depth rows of `vectors` vectors.
template <int rows, int panelCount, int vectors>
CUDNN_GRU_INLINE void multiplyTile(Vec (&sum)[rows][panelCount * vectors], const float* const* a, int64_t offset,
                                   int64_t stride, int64_t depth, const float* panels, int64_t panelStride) {
  const float* row[rows];
  for (int r = 0; r < rows; ++r) row[r] = a[r] + offset;
  int64_t at = 0;
  for (int64_t k = 0; k < depth; ++k, at += stride, panels += vectors * kWidth) {
    Vec b[panelCount * vectors];
    for (int p = 0; p < panelCount; ++p)
      for (int v = 0; v < vectors; ++v) b[p * vectors + v] = load(panels + p * panelStride + v * kWidth);
    for (int r = 0; r < rows; ++r) {
      const Vec element = broadcast(row[r][at]);
      for (int v = 0; v < panelCount * vectors; ++v) sum[r][v] = fma(element, b[v], sum[r][v]);
    }
  }
}

template <int n>
struct Constant {
  static constexpr int value = n;
};

// body(Constant<tile rows>, first row) for tiles that cover 0..rows
template <class Body>
CUDNN_GRU_INLINE void forTiles(int64_t rows, const Body& body) {
  int64_t row = 0;
  for (; row + kTileRows <= rows; row += kTileRows) body(Constant<kTileRows>{}, row);
  switch (rows - row) {
#if CUDNN_GRU_SIMD_CODE == 3 || defined(__aarch64__)
    case 7:
      return body(Constant<7>{}, row);
    case 6:
      return body(Constant<6>{}, row);
    case 5:
      return body(Constant<5>{}, row);
    case 4:
      return body(Constant<4>{}, row);
#endif
    case 3:
      return body(Constant<3>{}, row);
    case 2:
      return body(Constant<2>{}, row);
    case 1:
      return body(Constant<1>{}, row);
    default:
      return;
  }
}

// body(Constant<vectors>, first column, columns) for panels that cover begin..end
template <class Body>
CUDNN_GRU_INLINE void forPanels(int64_t begin, int64_t end, const Body& body) {
  for (int64_t column = begin; column < end; column += kPanelVectors * kWidth) {
    const int64_t left = end - column;
    if (left > 2 * kWidth)
      body(Constant<3>{}, column, left < 3 * kWidth ? left : 3 * kWidth);
    else if (left > kWidth)
      body(Constant<2>{}, column, left);
    else
      body(Constant<1>{}, column, left);
  }
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
