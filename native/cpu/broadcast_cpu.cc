#include <algorithm>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/elementwise_kernels.h"
#include "cpu/strides.h"

// Operations whose operands are repeated along some dimensions. The last dimension is a kernel's inner loop, the others
// are walked; neighbouring dimensions arrive merged, so the common cases are one long inner loop.
namespace cudnn_gru {
namespace {

using Strides = std::vector<int64_t>;

// The dimensions but the last, and the last.
struct Split {
  Strides outer;
  int64_t inner;
};

Split splitLast(const Strides& values, int64_t none) {
  if (values.empty()) return {{}, none};
  return {Strides(values.begin(), values.end() - 1), values.back()};
}

// run(a offset, b offset, out offset, length) for the pieces of rows that make up out[begin..end)
template <class Run>
void walkRows(const Split& dims, const Split& a, const Split& b, int64_t begin, int64_t end, const Run& run) {
  StridedWalk walk(dims.outer, a.outer, b.outer);
  walk.seek(begin / dims.inner);
  int64_t column = begin % dims.inner;
  while (begin < end) {
    const int64_t taken = std::min(dims.inner - column, end - begin);
    run(walk.a() + column * a.inner, walk.b() + column * b.inner, begin, taken);
    walk.next();
    begin += taken;
    column = 0;
  }
}

void runBinary(ThreadTeam& team, const ops::Binary& operation, BinaryKernel kernel) {
  const Split dims = splitLast(operation.dims, 1);
  const Split aStrides = splitLast(operation.aStrides, 0), bStrides = splitLast(operation.bStrides, 0);
  const float* a = operation.a.floats();
  const float* b = operation.b.floats();
  float* out = operation.out.floats();
  parallelRanges(team, operation.count, kElementGrain, [&](int64_t begin, int64_t end) {
    walkRows(dims, aStrides, bStrides, begin, end, [&](int64_t aAt, int64_t bAt, int64_t at, int64_t length) {
      kernel(a + aAt, aStrides.inner, b + bAt, bStrides.inner, out + at, length);
    });
  });
}

}  // namespace

void CpuDevice::add(const ops::Add& operation) { runBinary(team_, operation, elementwiseKernels().add); }
void CpuDevice::sub(const ops::Sub& operation) { runBinary(team_, operation, elementwiseKernels().sub); }
void CpuDevice::mul(const ops::Mul& operation) { runBinary(team_, operation, elementwiseKernels().mul); }
void CpuDevice::div(const ops::Div& operation) { runBinary(team_, operation, elementwiseKernels().div); }

void CpuDevice::expand(const ops::Expand& operation) {
  const Split dims = splitLast(operation.dims, 1), xStrides = splitLast(operation.xStrides, 0);
  const float factor = float(operation.factor);
  const float* x = operation.x.floats();
  float* out = operation.out.floats();
  const auto mul = elementwiseKernels().mul;
  parallelRanges(team_, operation.count, kElementGrain, [&](int64_t begin, int64_t end) {
    walkRows(dims, xStrides, xStrides, begin, end, [&](int64_t xAt, int64_t, int64_t at, int64_t length) {
      mul(x + xAt, xStrides.inner, &factor, 0, out + at, length);
    });
  });
}

}  // namespace cudnn_gru
