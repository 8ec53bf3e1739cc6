#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>

// Runs a kernel on the CPU. The threads of a block run one after the other, each until it comes to a barrier; there it
// waits, on a stack of its own, for all that must come; a warp goes on before the next one begins for as long as it
// needs nobody else. So barriers are real: a thread that reads what another has not written for want of one, or has
// written over already, finds garbage. Every second block takes its threads the other way round, so that either order
// is met.
namespace cuda_emulation {

// Of the thread that runs now.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
int currentLane();  // of the warp
void* sharedMemory();

void syncBlock();
void syncWarp(unsigned mask);
// Every thread of the mask gives a value, and gets that of the lane it asks for.
uint64_t exchange(unsigned mask, uint64_t value, int lane);
unsigned ballot(unsigned mask, bool predicate);

// Queues a kernel in the stream of `config` (runtime.cc).
cudaError_t launch(const cudaLaunchConfig_t& config, std::function<void()> kernel);

// Runs a kernel here and now. Throws std::runtime_error for what would be undefined on a GPU: a barrier that some
// threads never come to, a lane asked for that does not take part, a write past the shared memory.
void runGrid(dim3 grid, dim3 block, size_t sharedBytes, const std::function<void()>& kernel);

}  // namespace cuda_emulation
