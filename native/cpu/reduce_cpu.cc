#include <algorithm>

#include "cpu/column_sums.h"
#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/reduce_kernels.h"
#include "cpu/strides.h"

// Sums over some dimensions of a contiguous tensor. Its last dimension is a kernel's inner loop: either it is summed
// (rows become numbers) or kept (rows are added up). The others are walked, the kept ones apart from the summed ones.
namespace cudnn_gru {
namespace {

struct Walked {
  std::vector<int64_t> dims, xStrides, outStrides;
  int64_t count = 1;
  void add(int64_t dim, int64_t xStride, int64_t outStride) {
    dims.push_back(dim);
    xStrides.push_back(xStride);
    outStrides.push_back(outStride);
    count *= dim;
  }
  StridedWalk walk() const { return {dims, xStrides, outStrides}; }
};

struct SumPlan {
  Walked kept, summed;  // of every dimension but the last
  int64_t inner = 1, innerStride = 0;
};

SumPlan planOf(const ops::Sum& operation) {
  SumPlan plan;
  int64_t xStride = 1;
  for (int64_t d = operation.rank; d-- > 0;) {
    const int64_t dim = operation.dims[d], outStride = operation.outStrides[d];
    if (d == operation.rank - 1) {
      plan.inner = dim;
      plan.innerStride = outStride;
    } else {
      (outStride == 0 ? plan.summed : plan.kept).add(dim, xStride, outStride);
    }
    xStride *= dim;
  }
  for (Walked* walked : {&plan.kept, &plan.summed})
    for (auto* values : {&walked->dims, &walked->xStrides, &walked->outStrides})
      std::reverse(values->begin(), values->end());
  return plan;
}

// The last dimension is summed: each output is the sum of `summed.count` rows, in pieces that may span several of them.
void sumRows(ThreadTeam& team, const SumPlan& plan, double (*sum)(const float*, int64_t), double factor, const float* x,
             float* out) {
  const int64_t length = plan.summed.count * plan.inner;  // elements of one output
  const int64_t pieces = std::max<int64_t>(1, (length + kSumPiece - 1) / kSumPiece);
  std::vector<double> sums(plan.kept.count * pieces);
  parallelRanges(team, plan.kept.count * pieces, rowGrain(std::min(length, kSumPiece)),
                 [&](int64_t begin, int64_t end) {
                   StridedWalk kept = plan.kept.walk(), summed = plan.summed.walk();
                   kept.seek(begin / pieces);
                   for (int64_t i = begin; i < end; ++i) {
                     int64_t at = i % pieces * kSumPiece;
                     const int64_t last = std::min(length, at + kSumPiece);
                     summed.seek(at / plan.inner);
                     while (at < last) {
                       const int64_t column = at % plan.inner, taken = std::min(plan.inner - column, last - at);
                       sums[i] += sum(x + kept.a() + summed.a() + column, taken);
                       summed.next();
                       at += taken;
                     }
                     if ((i + 1) % pieces == 0) kept.next();
                   }
                 });
  StridedWalk kept = plan.kept.walk();
  kept.seek(0);
  for (int64_t k = 0; k < plan.kept.count; ++k, kept.next()) {
    double total = 0;
    for (int64_t piece = 0; piece < pieces; ++piece) total += sums[k * pieces + piece];
    out[kept.b()] = float(factor * total);
  }
}

// The last dimension is kept: each run of `inner` outputs is the sum of `summed.count` rows.
void sumColumns(ThreadTeam& team, const SumPlan& plan, AddRowsKernel addRows, double factor, const float* x,
                float* out) {
  const std::vector<double> sums =
      columnSums(team, plan.kept.count, plan.summed.count, plan.inner,
                 [&](int64_t group, int64_t row, int64_t lastRow, int64_t column, int64_t lastColumn, double* to) {
                   StridedWalk kept = plan.kept.walk();
                   kept.seek(group);
                   const float* from = x + kept.a() + column;
                   if (plan.summed.dims.size() <= 1) {
                     const int64_t stride = plan.summed.dims.empty() ? 0 : plan.summed.xStrides[0];
                     return addRows(from + row * stride, lastRow - row, stride, lastColumn - column, to);
                   }
                   StridedWalk summed = plan.summed.walk();
                   summed.seek(row);
                   for (; row < lastRow; ++row, summed.next())
                     addRows(from + summed.a(), 1, 0, lastColumn - column, to);
                 });
  StridedWalk kept = plan.kept.walk();
  kept.seek(0);
  for (int64_t k = 0; k < plan.kept.count; ++k, kept.next())
    for (int64_t i = 0; i < plan.inner; ++i)
      out[kept.b() + i * plan.innerStride] = float(factor * sums[k * plan.inner + i]);
}

}  // namespace

void CpuDevice::sum(const ops::Sum& operation) {
  float* out = operation.out.floats();
  if (operation.count == 0) {
    std::fill_n(out, operation.outCount, float(0 * operation.factor));
    return;
  }
  const SumPlan plan = planOf(operation);
  const float* x = operation.x.floats();
  if (plan.innerStride == 0)
    sumRows(team_, plan, reduceKernels().sum, operation.factor, x, out);
  else
    sumColumns(team_, plan, reduceKernels().addRows, operation.factor, x, out);
}

}  // namespace cudnn_gru
