#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

namespace cudnn_gru {

struct AttentionKernels {
  // The sum of scale[a] tanh(query[a] + key[a]).
  float (*additiveScore)(const float* query, const float* key, const float* scale, int64_t size);
  // With u = tanh(query + key) and d = scoreGrad scale (1 - u²): adds d to queryGrad and keyGrad, scoreGrad u to
  // scaleGrad.
  void (*additiveScoreBackward)(const float* query, const float* key, const float* scale, float scoreGrad, int64_t size,
                                float* queryGrad, float* keyGrad, float* scaleGrad);
};
CUDNN_GRU_KERNEL_TABLE(AttentionKernels, attentionTable, attentionKernels)

}  // namespace cudnn_gru
