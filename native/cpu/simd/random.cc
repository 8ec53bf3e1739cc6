#include "cpu/simd/philox.h"
#include "cpu/simd/random_kernels.h"
#include "cpu/simd/vec.h"
#include "cpu/simd/vectors.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

// body(start, count, words) for consecutive pieces of 0..count, words being those of the piece's elements.
template <class Body>
CUDNN_GRU_INLINE void forWords(uint64_t seed, uint64_t block, int64_t count, const Body& body) {
  uint32_t words[kPhiloxWords];
  for (int64_t start = 0; start < count; start += kPhiloxWords) {
    philox(seed, block + uint64_t(start / 4), words);
    body(start, count - start < kPhiloxWords ? count - start : kPhiloxWords, words);
  }
}

CUDNN_GRU_INLINE IntVec loadWords(const uint32_t* words) { return loadInts(reinterpret_cast<const int32_t*>(words)); }

static void runWords(uint64_t seed, uint64_t block, int64_t count, uint32_t* out) {
  forWords(seed, block, count, [=](int64_t start, int64_t taken, const uint32_t* words) {
    memcpy(out + start, words, size_t(taken) * sizeof(uint32_t));
  });
}

static void runUniform(uint64_t seed, uint64_t block, float low, float high, float largest, int64_t count, float* out) {
  const Vec most = broadcast(largest);
  const Vec from = broadcast(low), step = broadcast((high - low) * 0x1p-24f);
  forWords(seed, block, count, [=](int64_t start, int64_t taken, const uint32_t* words) {
    forVectors(taken, [=](int64_t i, auto at) {
      at.write(out + start + i, min(from + step * toFloats(shiftRightLogical<8>(loadWords(words + i))), most));
    });
  });
}

static void runDropout(uint64_t seed, uint64_t block, uint32_t threshold, float scale, const float* x, int64_t count,
                       float* y) {
  // The comparison is of signed numbers: exchanging the halves of the range makes it one of unsigned.
  const IntVec half = broadcastInt(INT32_MIN);
  const IntVec border = xorInts(broadcastInt(int32_t(threshold)), half);
  const Vec factor = broadcast(scale);
  forWords(seed, block, count, [=](int64_t start, int64_t taken, const uint32_t* words) {
    forVectors(taken, [=](int64_t i, auto at) {
      const Mask dropped = greaterInts(border, xorInts(loadWords(words + i), half));
      at.write(y + start + i, select(dropped, zero(), at.read(x + start + i) * factor));
    });
  });
}

const RandomKernels& randomTable() {
  static const RandomKernels table{runWords, runUniform, runDropout};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
