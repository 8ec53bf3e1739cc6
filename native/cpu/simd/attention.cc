#include "cpu/simd/attention_kernels.h"
#include "cpu/simd/math.h"
#include "cpu/simd/vec.h"
#include "cpu/simd/vectors.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

static float runAdditiveScore(const float* query, const float* key, const float* scale, int64_t size) {
  return float(sumOfVectors(size, nullptr, [=](int64_t a, auto at) {
    return at.read(scale + a) * tanh(at.read(query + a) + at.read(key + a));
  }));
}

static void runAdditiveScoreBackward(const float* query, const float* key, const float* scale, float scoreGrad,
                                     int64_t size, float* queryGrad, float* keyGrad, float* scaleGrad) {
  const Vec grad = broadcast(scoreGrad), one = broadcast(1.0f);
  forVectors(size, [=](int64_t a, auto at) {
    const Vec u = tanh(at.read(query + a) + at.read(key + a));
    const Vec d = grad * at.read(scale + a) * fnma(u, u, one);
    at.write(queryGrad + a, at.read(queryGrad + a) + d);
    at.write(keyGrad + a, at.read(keyGrad + a) + d);
    at.write(scaleGrad + a, fma(grad, u, at.read(scaleGrad + a)));
  });
}

const AttentionKernels& attentionTable() {
  static const AttentionKernels table{runAdditiveScore, runAdditiveScoreBackward};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
