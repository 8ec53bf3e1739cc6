#pragma once

#include <stdint.h>

#include "cpu/simd/vec.h"

// Philox4x32-10 (Salmon et al. 2011). The key is the seed, the counter the number of a block of four words, both low
// word first; the counter's upper half is 0.
namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

constexpr int kPhiloxBlocks = 16;  // made at once, for the compiler to vectorise
constexpr int kPhiloxWords = 4 * kPhiloxBlocks;

CUDNN_GRU_INLINE void philox(uint64_t seed, uint64_t block, uint32_t* words) {
  uint32_t a[kPhiloxBlocks], b[kPhiloxBlocks], c[kPhiloxBlocks], d[kPhiloxBlocks];
  for (int i = 0; i < kPhiloxBlocks; ++i) {
    a[i] = uint32_t(block + uint64_t(i));
    b[i] = uint32_t((block + uint64_t(i)) >> 32);
    c[i] = d[i] = 0;
  }
  uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kPhiloxBlocks; ++i) {
      const uint64_t first = uint64_t(0xD2511F53u) * a[i], second = uint64_t(0xCD9E8D57u) * c[i];
      a[i] = uint32_t(second >> 32) ^ b[i] ^ key0;
      b[i] = uint32_t(second);
      c[i] = uint32_t(first >> 32) ^ d[i] ^ key1;
      d[i] = uint32_t(first);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int i = 0; i < kPhiloxBlocks; ++i) {
    words[4 * i] = a[i];
    words[4 * i + 1] = b[i];
    words[4 * i + 2] = c[i];
    words[4 * i + 3] = d[i];
  }
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
