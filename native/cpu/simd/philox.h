#pragma once

#include <stdint.h>

#include "cpu/simd/vec.h"

// Philox4x32-10 (Salmon et al. 2011). The key is the seed, the counter the number of a block of four words, both low
// word first; the counter's upper half is 0.
namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

// A word of as many blocks, each in the lower half of a lane; the upper halves are not looked at.
typedef uint64_t PhiloxVec __attribute__((vector_size(4 * kWidth)));

CUDNN_GRU_INLINE PhiloxVec multiplyLower(PhiloxVec a, PhiloxVec b) {
#if CUDNN_GRU_SIMD_CODE == 3
  return (PhiloxVec)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif CUDNN_GRU_SIMD_CODE == 2
  return (PhiloxVec)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

constexpr int kPhiloxVectors = CUDNN_GRU_SIMD_CODE == 3 ? 4 : 2;  // at once, to hide the latency of a round
constexpr int kPhiloxLanes = kWidth / 2;
constexpr int kPhiloxBlocks = kPhiloxVectors * kPhiloxLanes;
constexpr int kPhiloxWords = 4 * kPhiloxBlocks;

// The words of kPhiloxBlocks blocks, from `block` on.
CUDNN_GRU_INLINE void philox(uint64_t seed, uint64_t block, uint32_t* words) {
  PhiloxVec a[kPhiloxVectors], b[kPhiloxVectors], c[kPhiloxVectors], d[kPhiloxVectors];
  for (int v = 0; v < kPhiloxVectors; ++v) {
    uint64_t counters[kPhiloxLanes];
    for (int lane = 0; lane < kPhiloxLanes; ++lane) counters[lane] = block + uint64_t(v * kPhiloxLanes + lane);
    memcpy(&a[v], counters, sizeof counters);
    b[v] = a[v] >> 32;
    c[v] = d[v] = PhiloxVec{};
  }
  uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int v = 0; v < kPhiloxVectors; ++v) {
      const PhiloxVec first = multiplyLower(a[v], PhiloxVec{} + 0xD2511F53u);
      const PhiloxVec second = multiplyLower(c[v], PhiloxVec{} + 0xCD9E8D57u);
      a[v] = (second >> 32) ^ b[v] ^ key0;
      b[v] = second;
      c[v] = (first >> 32) ^ d[v] ^ key1;
      d[v] = first;
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int v = 0; v < kPhiloxVectors; ++v) {
    const PhiloxVec low = (a[v] & 0xffffffffu) | (b[v] << 32), high = (c[v] & 0xffffffffu) | (d[v] << 32);
    for (int lane = 0; lane < kPhiloxLanes; ++lane) {
      const uint64_t pair[2] = {low[lane], high[lane]};
      memcpy(words + 4 * (v * kPhiloxLanes + lane), pair, sizeof pair);
    }
  }
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
