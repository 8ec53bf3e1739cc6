#include <math.h>

#include "cpu/simd/math.h"
#include "cpu/simd/rows_kernels.h"
#include "cpu/simd/vec.h"
#include "cpu/simd/vectors.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

// A NaN may be passed over: whoever subtracts the result from the row meets it again.
CUDNN_GRU_INLINE float largestOf(const float* x, int64_t count) {
  const float none = -__builtin_inff();
  float lanes[kWidth];
  Vec a = broadcast(none), b = a;
  int64_t i = 0;
  for (; i + 2 * kWidth <= count; i += 2 * kWidth) {
    a = max(load(x + i), a);
    b = max(load(x + i + kWidth), b);
  }
  if (i + kWidth <= count) {
    a = max(load(x + i), a);
    i += kWidth;
  }
  store(lanes, max(a, b));
  for (int lane = 0; i < count; ++i, ++lane) lanes[lane] = x[i] > lanes[lane] ? x[i] : lanes[lane];
  for (int width = kWidth / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; ++lane)
      lanes[lane] = lanes[lane + width] > lanes[lane] ? lanes[lane + width] : lanes[lane];
  return lanes[0];
}

// The sum of exp(x - shift); the terms are kept in `out` unless it is null.
CUDNN_GRU_INLINE double sumOfExp(const float* x, int64_t count, float shift, float* out) {
  const Vec by = broadcast(shift);
  return sumOfVectors(count, out, [=](int64_t i, auto at) { return exp(at.read(x + i) - by); });
}

static void runSoftmax(const float* x, int64_t columns, float* y) {
  const Vec factor = broadcast(float(1 / sumOfExp(x, columns, largestOf(x, columns), y)));
  forVectors(columns, [=](int64_t i, auto at) { at.write(y + i, at.read(y + i) * factor); });
}

static void runLogSoftmax(const float* x, int64_t columns, float* y) {
  const float largest = largestOf(x, columns);
  const Vec first = broadcast(largest), second = broadcast(float(::log(sumOfExp(x, columns, largest, nullptr))));
  forVectors(columns, [=](int64_t i, auto at) { at.write(y + i, at.read(x + i) - first - second); });
}

static void runSoftmaxBackward(const float* y, const float* yGrad, int64_t columns, float* xGrad) {
  const Vec dot = broadcast(float(sumOfTerms(columns, [=](int64_t i) { return double(y[i]) * double(yGrad[i]); })));
  forVectors(columns, [=](int64_t i, auto at) { at.write(xGrad + i, at.read(y + i) * (at.read(yGrad + i) - dot)); });
}

static void runLogSoftmaxBackward(const float* y, const float* yGrad, int64_t columns, float* xGrad) {
  const Vec total = broadcast(float(sumOf(yGrad, columns)));
  forVectors(columns,
             [=](int64_t i, auto at) { at.write(xGrad + i, fnma(exp(at.read(y + i)), total, at.read(yGrad + i))); });
}

static void runLayerNorm(const float* x, const float* weight, const float* bias, double epsilon, int64_t columns,
                         float* y, float* mean, float* rstd) {
  const double center = sumOf(x, columns) / double(columns);
  const double squares = sumOfTerms(columns, [=](int64_t i) {
    const double d = double(x[i]) - center;
    return d * d;
  });
  *mean = float(center);
  *rstd = float(1 / ::sqrt(squares / double(columns) + epsilon));
  // The mean in two parts: one float32 is too coarse for rows whose mean is far larger than their spread.
  const Vec m = broadcast(*mean), rest = broadcast(float(center - double(*mean))), r = broadcast(*rstd);
  forVectors(columns, [=](int64_t i, auto at) {
    Vec out = (at.read(x + i) - m - rest) * r;
    if (weight) out = out * at.read(weight + i);
    if (bias) out = out + at.read(bias + i);
    at.write(y + i, out);
  });
}

// With g = yGrad weight and n the normalised row: xGrad = rstd (g - mean(g) - n mean(g n))
static void runLayerNormBackward(const float* x, const float* weight, float mean, float rstd, const float* yGrad,
                                 int64_t columns, float* xGrad) {
  const Vec m = broadcast(mean), r = broadcast(rstd);
  forVectors(columns, [=](int64_t i, auto at) {
    at.write(xGrad + i, weight ? at.read(yGrad + i) * at.read(weight + i) : at.read(yGrad + i));
  });
  const Vec meanGrad = broadcast(float(sumOf(xGrad, columns) / double(columns)));
  const double dot = sumOfTerms(columns, [=](int64_t i) { return double(xGrad[i]) * (double(x[i]) - double(mean)); });
  const Vec meanProduct = broadcast(float(dot * double(rstd) / double(columns)));
  forVectors(columns, [=](int64_t i, auto at) {
    const Vec normalised = (at.read(x + i) - m) * r;
    at.write(xGrad + i, fnma(normalised, meanProduct, at.read(xGrad + i) - meanGrad) * r);
  });
}

static void runLayerNormWeight(const float* x, const float* mean, const float* rstd, const float* yGrad, int64_t rows,
                               int64_t stride, int64_t columns, double* sums) {
  addRowTerms(rows, columns, sums, [=](int64_t r, int64_t c) {
    return double(yGrad[r * stride + c]) * double((x[r * stride + c] - mean[r]) * rstd[r]);
  });
}

static double runCrossEntropy(const float* logits, int64_t classes, int32_t target, const float* classWeights,
                              double labelSmoothing, float* logSumExp) {
  const float largest = largestOf(logits, classes);
  const double logSum = ::log(sumOfExp(logits, classes, largest, nullptr));
  const double shift = double(largest) + logSum;
  *logSumExp = float(shift);
  // Not logits - shift: with logits of any size the two differences below are exact.
  const double targetLog = double(logits[target]) - double(largest) - logSum;
  double loss = -(1 - labelSmoothing) * (classWeights ? double(classWeights[target]) : 1.0) * targetLog;
  if (labelSmoothing > 0) {
    const double total = sumOfTerms(classes, [=](int64_t c) {
      const double logProbability = double(logits[c]) - double(largest) - logSum;
      return classWeights ? double(classWeights[c]) * logProbability : logProbability;
    });
    loss -= labelSmoothing / double(classes) * total;
  }
  return loss;
}

// With w = (1 - s) w_t and e = s / C: lossGrad (p (w + e weightSum) - e w_c - [c = t] w). The probabilities p =
// exp(logits - logSumExp) / total are divided by their own sum, so that they keep full precision although logSumExp, a
// float32, is coarse when the logits are large. For the target p - 1 = (exp(...) - total) / total, which keeps its
// digits when p is close to 1.
static void runCrossEntropyBackward(const float* logits, int64_t classes, int32_t target, const float* classWeights,
                                    double weightSum, double labelSmoothing, float logSumExp, double lossGrad,
                                    float* logitsGrad) {
  const double each = labelSmoothing / double(classes);
  const double targetWeight = classWeights ? double(classWeights[target]) : 1.0;
  const double weight = (1 - labelSmoothing) * targetWeight;
  const double total = sumOfExp(logits, classes, logSumExp, logitsGrad);
  const double ofTarget = double(logitsGrad[target]);
  const Vec factor = broadcast(float(lossGrad * (weight + each * weightSum) / total));
  const Vec smoothing = broadcast(float(lossGrad * each));
  const bool smooth = labelSmoothing > 0;
  forVectors(classes, [=](int64_t c, auto at) {
    Vec grad = at.read(logitsGrad + c) * factor;
    if (smooth) grad = grad - (classWeights ? smoothing * at.read(classWeights + c) : smoothing);
    at.write(logitsGrad + c, grad);
  });
  logitsGrad[target] =
      float(lossGrad * (weight * (ofTarget - total) + each * (weightSum * ofTarget - targetWeight * total)) / total);
}

const RowsKernels& rowsTable() {
  static const RowsKernels table{
      runSoftmax,           runLogSoftmax,      runSoftmaxBackward, runLogSoftmaxBackward,  runLayerNorm,
      runLayerNormBackward, runLayerNormWeight, runCrossEntropy,    runCrossEntropyBackward};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
