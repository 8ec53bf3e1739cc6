#pragma once

#include <cstddef>

namespace cudnn_gru::platform {

void* allocateAligned(size_t bytes, size_t alignment);  // nullptr when there is not enough
void freeAligned(void* data) noexcept;

// The most memory this process may ever hold: the machine's, or the limit of its control group if that is less.
// Linux grants more than it has, so this must be asked before, not after, memory is used.
size_t memoryLimit();

}  // namespace cudnn_gru::platform
