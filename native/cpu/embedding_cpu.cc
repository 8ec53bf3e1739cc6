#include <algorithm>
#include <cstring>
#include <string>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"

namespace cudnn_gru {
namespace {

// A negative id is beyond any vocabulary once it is read as unsigned.
bool outside(int32_t id, int64_t vocabularySize) { return uint32_t(id) >= uint64_t(vocabularySize); }

void checkIds(const int32_t* ids, int64_t count, int64_t vocabularySize) {
  bool bad = false;
  for (int64_t i = 0; i < count; ++i) bad |= outside(ids[i], vocabularySize);
  if (!bad) return;
  const int64_t i = std::find_if(ids, ids + count, [=](int32_t id) { return outside(id, vocabularySize); }) - ids;
  throw Error("ERR_INDEX_OUT_OF_RANGE", "embedding: id " + std::to_string(ids[i]) + " at index " + std::to_string(i) +
                                            " is outside the vocabulary of " + std::to_string(vocabularySize) +
                                            " (0.." + std::to_string(vocabularySize - 1) + ")");
}

}  // namespace

void CpuDevice::embedding(const ops::Embedding& operation) {
  const int32_t* ids = operation.ids.ints();
  checkIds(ids, operation.count, operation.vocabularySize);
  const int64_t size = operation.embeddingSize;
  const float* weight = operation.weight.floats();
  float* y = operation.y.floats();
  parallelRanges(team_, operation.count, rowGrain(size), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::memcpy(y + i * size, weight + ids[i] * size, size * sizeof(float));
  });
}

// Shared by columns: each thread goes through every id in order, so sums do not depend on how many threads there are,
// and a word that fills half the batch is no thread's burden alone.
void CpuDevice::embeddingBackward(const ops::EmbeddingBackward& operation) {
  const int32_t* ids = operation.ids.ints();
  const int64_t count = operation.count, size = operation.embeddingSize;
  checkIds(ids, count, operation.vocabularySize);
  const int64_t padding = int64_t(operation.paddingIndex);
  const float* yGrad = operation.yGrad.floats();
  float* weightGrad = operation.weightGrad.floats();
  parallelRanges(team_, operation.vocabularySize * size, kElementGrain, [=](int64_t begin, int64_t end) {
    std::memset(weightGrad + begin, 0, (end - begin) * sizeof(float));
  });

  constexpr int64_t kLine = 16;  // floats in a cache line: two threads do not write to the same one
  const int64_t lines = (size + kLine - 1) / kLine;
  parallelRanges(team_, lines, rowGrain(count * kLine), [=](int64_t begin, int64_t end) {
    const int64_t first = begin * kLine, last = std::min(size, end * kLine);
    for (int64_t i = 0; i < count; ++i) {
      if (ids[i] == padding) continue;
      const float* from = yGrad + i * size;
      float* to = weightGrad + ids[i] * size;
      for (int64_t column = first; column < last; ++column) to[column] += from[column];
    }
  });
}

}  // namespace cudnn_gru
