#pragma once

#include <stddef.h>
#include <stdint.h>

namespace cudnn_gru {

// Kernels, ours and those of NVIDIA's libraries, read several numbers at once where addresses are multiples of this.
// What cuDNN asks for is documented nowhere: it gets no others.
constexpr size_t kAlignment = 16;  // bytes
inline bool isAligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % kAlignment == 0; }

}  // namespace cudnn_gru
