#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

namespace cudnn_gru {

// Element i takes word i of the Philox stream of `seed` that starts at block `block`, four words a block.
struct RandomKernels {
  void (*words)(uint64_t seed, uint64_t block, int64_t count, uint32_t* out);
  // low + (high - low) * (word >> 8) * 2^-24, at most `largest`: rounding must not give `high` itself
  void (*uniform)(uint64_t seed, uint64_t block, float low, float high, float largest, int64_t count, float* out);
  // y = word >= threshold ? scale * x : 0
  void (*dropout)(uint64_t seed, uint64_t block, uint32_t threshold, float scale, const float* x, int64_t count,
                  float* y);
};
CUDNN_GRU_KERNEL_TABLE(RandomKernels, randomTable, randomKernels)

}  // namespace cudnn_gru
