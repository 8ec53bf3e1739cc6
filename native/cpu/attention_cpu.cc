#include <algorithm>
#include <vector>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/attention_kernels.h"
#include "cpu/simd/rows_kernels.h"

namespace cudnn_gru {

void CpuDevice::maskedSoftmax(const ops::MaskedSoftmax& operation) {
  const int64_t queries = operation.queries, time = operation.time;
  const float* x = operation.x.floats();
  float* y = operation.y.floats();
  const auto softmax = rowsKernels().softmax;
  parallelRanges(team_, operation.batch * queries, rowGrain(time), [&, x, y](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t length = operation.lengthOf(row / queries);
      if (length > 0) softmax(x + row * time, length, y + row * time);
      std::fill(y + row * time + length, y + (row + 1) * time, 0.0f);
    }
  });
}

void CpuDevice::additiveScores(const ops::AdditiveScores& operation) {
  const int64_t queries = operation.queries, time = operation.time, size = operation.size;
  const float* query = operation.query.floats();
  const float* keys = operation.keys.floats();
  const float* scale = operation.scale.floats();
  float* scores = operation.scores.floats();
  const auto score = attentionKernels().additiveScore;
  parallelRanges(team_, operation.batch * queries, rowGrain(time * size), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t b = row / queries, length = operation.lengthOf(b);
      for (int64_t t = 0; t < length; ++t)
        scores[row * time + t] = score(query + row * size, keys + (b * time + t) * size, scale, size);
      std::fill(scores + row * time + length, scores + (row + 1) * time, 0.0f);
    }
  });
}

// A batch row is one thread's: its keys gather gradients from all queries. Those of the scale are summed for each query
// in float32 and then in float64, always in the same order.
void CpuDevice::additiveScoresBackward(const ops::AdditiveScoresBackward& operation) {
  const int64_t batch = operation.batch, queries = operation.queries, time = operation.time, size = operation.size;
  const float* query = operation.query.floats();
  const float* keys = operation.keys.floats();
  const float* scale = operation.scale.floats();
  const float* scoresGrad = operation.scoresGrad.floats();
  float* queryGrad = operation.queryGrad.floats();
  float* keysGrad = operation.keysGrad.floats();
  std::vector<double> scaleSums(batch * size);
  const auto scoreBackward = attentionKernels().additiveScoreBackward;
  parallelRanges(team_, batch, rowGrain(queries * time * size), [&](int64_t begin, int64_t end) {
    std::vector<float> scaleGrad(size);
    for (int64_t b = begin; b < end; ++b) {
      std::fill_n(queryGrad + b * queries * size, queries * size, 0.0f);
      std::fill_n(keysGrad + b * time * size, time * size, 0.0f);
      for (int64_t q = 0; q < queries; ++q) {
        const int64_t row = b * queries + q;
        std::fill(scaleGrad.begin(), scaleGrad.end(), 0.0f);
        for (int64_t t = 0; t < operation.lengthOf(b); ++t)
          scoreBackward(query + row * size, keys + (b * time + t) * size, scale, scoresGrad[row * time + t], size,
                        queryGrad + row * size, keysGrad + (b * time + t) * size, scaleGrad.data());
        for (int64_t a = 0; a < size; ++a) scaleSums[b * size + a] += double(scaleGrad[a]);
      }
    }
  });
  float* scaleGrad = operation.scaleGrad.floats();
  for (int64_t a = 0; a < size; ++a) {
    double sum = 0;
    for (int64_t b = 0; b < batch; ++b) sum += scaleSums[b * size + a];
    scaleGrad[a] = float(sum);
  }
}

}  // namespace cudnn_gru
