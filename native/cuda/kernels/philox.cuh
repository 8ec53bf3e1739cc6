#pragma once

#include <stdint.h>

// Philox4x32-10 (Salmon et al. 2011), addressed as ops::RandomFill says: the key is the seed, the counter the number of
// a block of four words, both low word first.
namespace cudnn_gru::kernels {

struct PhiloxBlock {
  uint32_t word[4];
};

__device__ inline PhiloxBlock philox(uint64_t seed, uint64_t block) {
  uint32_t a = uint32_t(block), b = uint32_t(block >> 32), c = 0, d = 0;
  uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t(a) * 0xD2511F53u, second = uint64_t(c) * 0xCD9E8D57u;
    a = uint32_t(second >> 32) ^ b ^ key0;
    b = uint32_t(second);
    c = uint32_t(first >> 32) ^ d ^ key1;
    d = uint32_t(first);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return {{a, b, c, d}};
}

}  // namespace cudnn_gru::kernels
