#pragma once

#include "cuda/kernels/index_fault.h"

namespace cudnn_gru::kernels {

__device__ inline void reportIndex(int32_t index, int64_t limit, int64_t position, IndexFault::Kind kind,
                                   IndexFault* fault) {
  fault->limit = int(limit);
  fault->positionIndex = (unsigned long long)position << 32 | uint32_t(index);
  __threadfence_system();
  fault->kind = kind;
}

// True if 0 <= index < limit; else that is reported, and the kernel goes on without using the index.
__device__ inline bool checkIndex(int32_t index, int64_t limit, int64_t position, IndexFault::Kind kind,
                                  IndexFault* fault) {
  if (index >= 0 && index < limit) return true;
  reportIndex(index, limit, position, kind, fault);
  return false;
}

}  // namespace cudnn_gru::kernels
