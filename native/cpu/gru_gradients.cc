#include <algorithm>

#include "cpu/column_sums.h"
#include "cpu/gemm.h"
#include "cpu/gru_backward.h"
#include "cpu/simd/reduce_kernels.h"

// What is left once the gradients of all gates are known: a few large products over all steps and rows at once.
namespace cudnn_gru {
namespace {

// rows(step, place) for every step and place, in the order of GruOrder::first.
template <class Row>
auto everyRow(const GruCell& cell, const Row& row) {
  std::vector<decltype(row(int64_t(0), int64_t(0)))> rows;
  rows.reserve(cell.order->total());
  for (int64_t s = 0; s < cell.order->steps; ++s)
    for (int64_t place = 0; place < cell.order->running[s]; ++place) rows.push_back(row(s, place));
  return rows;
}

// out = the sum over all rows of (gradients in columns first .. first + m of the gates)ᵀ (features)
void weightGradient(CpuDevice& device, const std::vector<const float*>& gates, int64_t first, int64_t m,
                    RowPointers features, int64_t n, const std::vector<float*>& out) {
  Product product;
  product.m = m;
  product.n = n;
  product.k = int64_t(gates.size());
  product.a = {gates.data(), first};
  product.transposedA = true;
  product.b = features;
  product.c = out.data();
  multiply(device, product);
}

void biasGradients(CpuDevice& device, const GruCell& cell, bool resetBefore, const GruWeightGradients& out) {
  const int64_t h = cell.hiddenSize;
  const std::vector<double> sums = columnSums(
      device.team(), 1, cell.order->total(), 4 * h,
      [&](int64_t, int64_t row, int64_t lastRow, int64_t column, int64_t lastColumn, double* to) {
        reduceKernels().addRows(cell.gates + row * 4 * h + column, lastRow - row, 4 * h, lastColumn - column, to);
      });
  const double *n = sums.data(), *r = n + h, *z = r + h, *hiddenN = resetBefore ? n : z + h;
  for (float* bias : {out.inputBias, out.hiddenBias}) {
    if (!bias) continue;
    for (int64_t i = 0; i < h; ++i) {
      bias[i] = float(r[i]);
      bias[h + i] = float(z[i]);
      bias[2 * h + i] = float(bias == out.inputBias ? n[i] : hiddenN[i]);
    }
  }
}

}  // namespace

void computeGruWeightGradients(CpuDevice& device, const GruCell& cell, bool resetBefore,
                               const GruWeightGradients& out) {
  const int64_t h = cell.hiddenSize, in = cell.inputSize;
  const auto gates = everyRow(cell, [&](int64_t s, int64_t place) -> const float* { return cell.gatesAt(s, place); });
  {
    const auto x = everyRow(cell, [&](int64_t s, int64_t place) { return cell.xAt(s, place); });
    std::vector<float*> rows(3 * h);  // the gates are in the order n, r, z
    for (int64_t i = 0; i < 3 * h; ++i) rows[i] = out.input + (i < h ? 2 * h + i : i - h) * in;
    weightGradient(device, gates, 0, 3 * h, {x.data(), 0}, in, rows);
  }
  {
    const auto hidden = everyRow(cell, [&](int64_t s, int64_t place) { return cell.hiddenBefore(s, place); });
    const std::vector<float*> rows = rowsOf(out.hidden, 3 * h, h);
    if (resetBefore) {
      weightGradient(device, gates, h, 2 * h, {hidden.data(), 0}, h, rows);
      const std::vector<float*> candidates(rows.begin() + 2 * h, rows.end());
      weightGradient(device, gates, 0, h, {gates.data(), 3 * h}, h, candidates);  // of n, times r * h
    } else {
      weightGradient(device, gates, h, 3 * h, {hidden.data(), 0}, h, rows);
    }
  }
  if (out.inputBias) biasGradients(device, cell, resetBefore, out);
}

void computeGruInputGradient(CpuDevice& device, const GruCell& cell, const float* panels, const Sequence& xGrad,
                             bool accumulate) {
  const auto gates = everyRow(cell, [&](int64_t s, int64_t place) -> const float* { return cell.gatesAt(s, place); });
  const auto out =
      everyRow(cell, [&](int64_t s, int64_t place) { return xGrad.at(cell.time(s, place), cell.order->rows[place]); });
  Product product;
  product.m = int64_t(gates.size());
  product.n = cell.inputSize;
  product.k = 3 * cell.hiddenSize;
  product.a = {gates.data(), 0};
  product.panels = panels;
  product.c = out.data();
  product.accumulate = accumulate;
  multiply(device, product);
}

}  // namespace cudnn_gru
