#include "cpu/gemm.h"

#include <algorithm>

#include "cpu/simd/gemm_kernels.h"

namespace cudnn_gru {
namespace {

// A block of B, as deep as this, stays in the second cache while the rows of A pass by.
constexpr int64_t kDepth = 256;
constexpr int64_t kRows = 64;
// Less than about this many multiply-adds is not worth a thread.
constexpr int64_t kGrain = 200000;

int64_t roundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

struct Range {
  int64_t begin, end;
};

// The part-th of `parts` nearly equal ranges of 0..count that begin at multiples of `unit`.
Range share(int64_t count, int64_t unit, int part, int parts) {
  const int64_t units = (count + unit - 1) / unit;
  return {std::min(count, units * part / parts * unit), std::min(count, units * (part + 1) / parts * unit)};
}

// Where a thread keeps its copies: blocks of B (shared by all, two in turn) and a strip of a transposed A.
struct Workspace {
  float* b[2];
  float* a;
};

int64_t floatsOfB(const Product& p) { return p.panels ? 0 : panelFloats(std::min(p.k, kDepth), p.n); }
int64_t floatsOfA(const Product& p) { return p.transposedA ? std::min(p.k, kDepth) * kRows : 0; }

void packBlock(const Product& p, int64_t first, int64_t depth, Range rows, float* panels) {
  const GemmKernels& kernels = gemmKernels();
  if (p.transposedB)
    kernels.packTransposed({p.b.rows, p.b.offset + first, rows.begin, rows.end, p.n, panels, depth});
  else
    kernels.pack({p.b.rows + first, p.b.offset, rows.begin, rows.end, p.n, panels, depth});
}

void multiplyRange(const Product& p, int64_t first, int64_t depth, Range rows, Range columns, const float* block,
                   float* strip) {
  const GemmKernels& kernels = gemmKernels();
  const int64_t panelDepth = p.panels ? p.k : depth;
  const float* stripRows[kRows];
  GemmBlock g{};
  g.panels = (p.panels ? p.panels : block) + columns.begin * panelDepth;
  g.panelDepth = panelDepth;
  g.panelRow = p.panels ? first : 0;
  g.columns = columns.end - columns.begin;
  g.depth = depth;
  g.cOffset = p.cOffset + columns.begin;
  g.bias = p.bias ? p.bias + columns.begin : nullptr;
  g.accumulate = p.accumulate || first > 0;
  for (int64_t row = rows.begin; row < rows.end; row += kRows) {
    g.rows = std::min(kRows, rows.end - row);
    if (p.transposedA) {
      kernels.gatherColumns(p.a.rows + first, p.a.offset + row, depth, g.rows, strip);
      for (int64_t r = 0; r < g.rows; ++r) stripRows[r] = strip + r;
      g.a = stripRows;
      g.aOffset = 0;
      g.aStride = g.rows;
    } else {
      g.a = p.a.rows + row;
      g.aOffset = p.a.offset + first;
      g.aStride = 1;
    }
    g.c = p.c + row;
    kernels.multiply(g);
  }
}

// One thread's part. Rows are shared out, or columns when there are too few rows.
void multiplyPart(const Product& p, int part, int parts, bool byColumns, Barrier& barrier, const Workspace& space) {
  const GemmKernels& kernels = gemmKernels();
  const Range rows = byColumns ? Range{0, p.m} : share(p.m, kernels.tileRows, part, parts);
  const Range columns = byColumns ? share(p.n, kernels.panelColumns, part, parts) : Range{0, p.n};
  int64_t first = 0;
  int turn = 0;
  do {
    const int64_t depth = std::min(kDepth, p.k - first);
    if (!p.panels) {
      // With two blocks in turn, the next one is packed while slower threads still read the last.
      packBlock(p, first, depth, share(depth, 1, part, parts), space.b[turn]);
      barrier.wait();
    }
    if (rows.begin < rows.end && columns.begin < columns.end)
      multiplyRange(p, first, depth, rows, columns, space.b[turn], space.a);
    first += depth;
    turn ^= 1;
  } while (first < p.k);
}

}  // namespace

std::vector<const float*> rowsOf(const float* data, int64_t rows, int64_t stride) {
  std::vector<const float*> pointers(rows);
  for (int64_t r = 0; r < rows; ++r) pointers[r] = data + r * stride;
  return pointers;
}

std::vector<float*> rowsOf(float* data, int64_t rows, int64_t stride) {
  std::vector<float*> pointers(rows);
  for (int64_t r = 0; r < rows; ++r) pointers[r] = data + r * stride;
  return pointers;
}

int64_t panelFloats(int64_t k, int64_t n) { return k * roundUp(n, gemmKernels().width); }

void packPanels(ThreadTeam& team, RowPointers b, bool transposed, int64_t k, int64_t n, float* panels) {
  const GemmKernels& kernels = gemmKernels();
  const int parts = int(std::clamp<int64_t>(k * n / kGrain, 1, team.size()));
  team.parallelFor(parts, [&](int part) {
    const Range rows = share(k, 16, part, parts);
    (transposed ? kernels.packTransposed : kernels.pack)({b.rows, b.offset, rows.begin, rows.end, n, panels, k});
  });
}

void multiply(CpuDevice& device, const Product& p) {
  if (p.m == 0 || p.n == 0) return;
  const GemmKernels& kernels = gemmKernels();
  ThreadTeam& team = device.team();
  const int64_t rowTiles = (p.m + kernels.tileRows - 1) / kernels.tileRows;
  const int64_t panels = (p.n + kernels.panelColumns - 1) / kernels.panelColumns;
  const bool byColumns = rowTiles < panels && rowTiles < 4 * team.size();
  const int parts = int(
      std::clamp<int64_t>(p.m * p.n * p.k / kGrain, 1, std::min<int64_t>(team.size(), byColumns ? panels : rowTiles)));
  const int64_t b = floatsOfB(p), a = floatsOfA(p);
  Scratch scratch(device, 2 * b + parts * a);
  Barrier barrier(parts);
  team.parallelFor(parts, [&](int part) {
    const Workspace space{{scratch.floats(), scratch.floats() + b}, scratch.floats() + 2 * b + part * a};
    multiplyPart(p, part, parts, byColumns, barrier, space);
  });
}

void multiplyBatch(CpuDevice& device, const Product& first, int64_t count, int64_t aStep, int64_t bStep,
                   int64_t cStep) {
  if (first.m == 0 || first.n == 0) return;
  ThreadTeam& team = device.team();
  const auto at = [&](int64_t i) {
    Product p = first;
    p.a.offset += i * aStep;
    p.b.offset += i * bStep;
    p.cOffset += i * cStep;
    return p;
  };
  const int parts = int(std::clamp<int64_t>(count * first.m * first.n * first.k / kGrain, 1,
                                            std::min<int64_t>(team.size(), std::max<int64_t>(1, count))));
  if (count < team.size()) {
    for (int64_t i = 0; i < count; ++i) multiply(device, at(i));
    return;
  }
  const int64_t b = floatsOfB(first), each = 2 * b + floatsOfA(first);
  Scratch scratch(device, parts * each);
  team.parallelFor(parts, [&](int part) {
    float* own = scratch.floats() + part * each;
    Barrier alone(1);
    const Range items = share(count, 1, part, parts);
    for (int64_t i = items.begin; i < items.end; ++i)
      multiplyPart(at(i), 0, 1, false, alone, {{own, own + b}, own + 2 * b});
  });
}

}  // namespace cudnn_gru
