#include "cpu/simd/elementwise_kernels.h"
#include "cpu/simd/math.h"
#include "cpu/simd/vec.h"
#include "cpu/simd/vectors.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

static void runFill(float value, float* out, int64_t count) {
  const Vec v = broadcast(value);
  forVectors(count, [=](int64_t i, auto at) { at.write(out + i, v); });
}

static void runScale(float factor, float offset, const float* x, float* out, int64_t count) {
  const Vec f = broadcast(factor), o = broadcast(offset);
  forVectors(count, [=](int64_t i, auto at) { at.write(out + i, fma(f, at.read(x + i), o)); });
}

struct TanhOf {
  CUDNN_GRU_INLINE Vec of(Vec x) { return tanh(x); }
  CUDNN_GRU_INLINE Vec gradient(Vec y, Vec yGrad) { return yGrad * fnma(y, y, broadcast(1.0f)); }
};
struct SigmoidOf {
  CUDNN_GRU_INLINE Vec of(Vec x) { return sigmoid(x); }
  CUDNN_GRU_INLINE Vec gradient(Vec y, Vec yGrad) { return yGrad * (broadcast(1.0f) - y) * y; }
};
struct ReluOf {
  CUDNN_GRU_INLINE Vec of(Vec x) { return max(zero(), x); }  // NaN stays
  CUDNN_GRU_INLINE Vec gradient(Vec y, Vec yGrad) { return select(lessEqual(y, zero()), zero(), yGrad); }
};

template <class Function>
static void runUnary(const float* x, float* out, int64_t count) {
  forVectors(count, [=](int64_t i, auto at) { at.write(out + i, Function::of(at.read(x + i))); });
}

template <class Function>
static void runUnaryBackward(const float* y, const float* yGrad, float* xGrad, int64_t count) {
  forVectors(count,
             [=](int64_t i, auto at) { at.write(xGrad + i, Function::gradient(at.read(y + i), at.read(yGrad + i))); });
}

struct Plus {
  CUDNN_GRU_INLINE Vec of(Vec a, Vec b) { return a + b; }
};
struct Minus {
  CUDNN_GRU_INLINE Vec of(Vec a, Vec b) { return a - b; }
};
struct Times {
  CUDNN_GRU_INLINE Vec of(Vec a, Vec b) { return a * b; }
};
struct Over {
  CUDNN_GRU_INLINE Vec of(Vec a, Vec b) { return a / b; }
};

template <class Function>
static void runBinary(const float* a, int64_t aStep, const float* b, int64_t bStep, float* out, int64_t count) {
  if (aStep == 1 && bStep == 1) {
    forVectors(count, [=](int64_t i, auto at) { at.write(out + i, Function::of(at.read(a + i), at.read(b + i))); });
  } else if (aStep == 1 && bStep == 0) {
    const Vec right = broadcast(*b);
    forVectors(count, [=](int64_t i, auto at) { at.write(out + i, Function::of(at.read(a + i), right)); });
  } else if (aStep == 0 && bStep == 1) {
    const Vec left = broadcast(*a);
    forVectors(count, [=](int64_t i, auto at) { at.write(out + i, Function::of(left, at.read(b + i))); });
  } else {
    for (int64_t i = 0; i < count; ++i)
      storePartial(out + i, 1, Function::of(broadcast(a[i * aStep]), broadcast(b[i * bStep])));
  }
}

const ElementwiseKernels& elementwiseTable() {
  static const ElementwiseKernels table{runFill,
                                        runScale,
                                        runUnary<TanhOf>,
                                        runUnary<SigmoidOf>,
                                        runUnary<ReluOf>,
                                        runUnaryBackward<TanhOf>,
                                        runUnaryBackward<SigmoidOf>,
                                        runUnaryBackward<ReluOf>,
                                        runBinary<Plus>,
                                        runBinary<Minus>,
                                        runBinary<Times>,
                                        runBinary<Over>};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
