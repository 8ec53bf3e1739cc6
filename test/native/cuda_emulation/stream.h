#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace cuda_emulation {

// Does `work` when the stream has come so far: how the stand-ins of libraries compute.
void addToStream(cudaStream_t stream, std::function<void()> work);

}  // namespace cuda_emulation
