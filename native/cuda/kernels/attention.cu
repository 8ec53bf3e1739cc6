#include "cuda/kernels/attention.h"
#include "cuda/kernels/exponentials.cuh"
#include "cuda/kernels/sums.h"

namespace cudnn_gru::kernels {
namespace {

__device__ int64_t lengthOf(const AttentionShape& shape, int64_t b) {
  return shape.lengths ? shape.lengths[b] : shape.time;
}

// Kernels

// A team for each row.
template <int kSize>
__global__ void maskedSoftmaxRows(const float* x, float* y, AttentionShape shape) {
  const Team<kSize> team;
  for (int64_t row = team.index(); row < shape.batch * shape.queries; row += team.count()) {
    const int64_t length = lengthOf(shape, row / shape.queries);
    const float* from = x + row * shape.time;
    const float shift = largestOf(team, from, length);
    const float factor = float(1 / sumOfExponentials(team, from, length, shift));
    for (int64_t t = team.thread; t < shape.time; t += kSize)
      y[row * shape.time + t] = t < length ? exponential(from[t] - shift) * factor : 0.0f;
  }
}

// A warp for each score.
__global__ void scorePairs(const float* query, const float* keys, const float* scale, float* scores,
                           AttentionShape shape, int64_t size) {
  const Team<kWarp> team;
  for (int64_t i = team.index(); i < shape.batch * shape.queries * shape.time; i += team.count()) {
    const int64_t row = i / shape.time, t = i - row * shape.time, b = row / shape.queries;
    if (t >= lengthOf(shape, b)) {
      if (team.thread == 0) scores[i] = 0;
      continue;
    }
    const float *q = query + row * size, *k = keys + (b * shape.time + t) * size;
    double sum = 0;
    for (int64_t a = team.thread; a < size; a += kWarp) sum += double(scale[a] * hyperbolicTangent(q[a] + k[a]));
    sum = team.sum(sum);
    if (team.thread == 0) scores[i] = float(sum);
  }
}

// A thread for each element of the query.
__global__ void queryGradients(const float* query, const float* keys, const float* scale, const float* scoresGrad,
                               float* queryGrad, double* partials, AttentionShape shape, int64_t size) {
  for (int64_t i = gridThread(); i < shape.batch * shape.queries * size; i += gridThreads()) {
    const int64_t row = i / size, a = i - row * size, b = row / shape.queries, length = lengthOf(shape, b);
    const float* key = keys + b * shape.time * size + a;
    const float* grad = scoresGrad + row * shape.time;
    double sum = 0, ofScale = 0;
    for (int64_t t = 0; t < length; ++t) {
      const float u = hyperbolicTangent(query[i] + key[t * size]);
      sum += double(grad[t] * scale[a] * fmaf(-u, u, 1.0f));
      ofScale += double(grad[t]) * double(u);
    }
    queryGrad[i] = float(sum);
    partials[i] = ofScale;
  }
}

// A thread for each element of the keys.
__global__ void keyGradients(const float* query, const float* keys, const float* scale, const float* scoresGrad,
                             float* keysGrad, AttentionShape shape, int64_t size) {
  for (int64_t i = gridThread(); i < shape.batch * shape.time * size; i += gridThreads()) {
    const int64_t step = i / size, a = i - step * size, b = step / shape.time, t = step - b * shape.time;
    const int64_t first = b * shape.queries, last = t < lengthOf(shape, b) ? first + shape.queries : first;
    double sum = 0;
    for (int64_t row = first; row < last; ++row) {
      const float u = hyperbolicTangent(query[row * size + a] + keys[i]);
      sum += double(scoresGrad[row * shape.time + t] * scale[a] * fmaf(-u, u, 1.0f));
    }
    keysGrad[i] = float(sum);
  }
}

}  // namespace

// Launchers

cudaError_t maskedSoftmax(const float* x, float* y, const AttentionShape& shape, cudaStream_t stream) {
  return launchRows(maskedSoftmaxRows<kWarp>, maskedSoftmaxRows<kThreads>, shape.batch * shape.queries, shape.time,
                    stream, x, y, shape);
}

cudaError_t additiveScores(const float* query, const float* keys, const float* scale, float* scores,
                           const AttentionShape& shape, int64_t size, cudaStream_t stream) {
  return launch(scorePairs, blocksFor(shape.batch * shape.queries * shape.time * kWarp), kThreads, kTeamShared, stream,
                query, keys, scale, scores, shape, size);
}

cudaError_t additiveScoresBackward(const float* query, const float* keys, const float* scale, const float* scoresGrad,
                                   float* queryGrad, float* keysGrad, float* scaleGrad, double* partials,
                                   const AttentionShape& shape, int64_t size, cudaStream_t stream) {
  const int64_t rows = shape.batch * shape.queries;
  cudaError_t status = launch(queryGradients, blocksFor(rows * size), kThreads, 0, stream, query, keys, scale,
                              scoresGrad, queryGrad, partials, shape, size);
  if (status != cudaSuccess) return status;
  status = launch(keyGradients, blocksFor(shape.batch * shape.time * size), kThreads, 0, stream, query, keys, scale,
                  scoresGrad, keysGrad, shape, size);
  if (status != cudaSuccess) return status;
  return finishColumnSums(partials, rows, size, 1.0, scaleGrad, stream);
}

}  // namespace cudnn_gru::kernels
