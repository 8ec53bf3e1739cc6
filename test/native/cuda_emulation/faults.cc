// Does the emulation see what is wrong with a kernel? One wrong kernel each, beside a right one. Prints a line for
// each.
#include <cstdio>
#include <stdexcept>
#include <string>

#include "builtins.h"

namespace {

// Of one block of 64 threads: the sum of 1..64, made of two warps' sums through shared memory.
void sumOfWarps(bool barrier, int* out) {
  int value = int(threadIdx.x) + 1;
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffffu, value, distance);
  int* shared = static_cast<int*>(emulatedSharedMemory());
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
  if (barrier) __syncthreads();
  out[threadIdx.x] = shared[0] + shared[1];
}

// The same memory used twice: the second barrier keeps the second value from being written before the first is read.
void useTwice(bool barrier, int* out) {
  int* shared = static_cast<int*>(emulatedSharedMemory());
  out[threadIdx.x] = 0;
  for (int round = 1; round <= 2; ++round) {
    if (barrier) __syncthreads();
    if (threadIdx.x == 0) *shared = round;
    __syncthreads();
    out[threadIdx.x] += *shared;
  }
}

void barrierForSome() {
  if (threadIdx.x < 32)
    __syncthreads();
  else if (threadIdx.x % 2 == 0)
    __syncwarp();
}

void pastSharedMemory() { static_cast<char*>(emulatedSharedMemory())[8 * sizeof(int)] = 0; }

void laneOutsideMask() {
  if (threadIdx.x < 8) __shfl_sync(0xffu, 1, 9);
}

void callerOutsideMask() { __ballot_sync(0xffu, 1); }

int failures = 0;

void report(const char* name, bool good) {
  std::printf("%s: %s\n", name, good ? "ok" : "FAILED");
  failures += good ? 0 : 1;
}

std::string faultOf(const std::function<void()>& kernel) {
  try {
    cuda_emulation::runGrid(2, 64, 8 * sizeof(int), kernel);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

// Whether every thread of both orders came to `expected`.
bool allAre(int expected, const std::function<void(int*)>& kernel) {
  int out[2][64];
  const std::string fault = faultOf([&] { kernel(out[cuda_emulation::blockIdx.x]); });
  bool same = fault.empty();
  for (const auto& block : out)
    for (int value : block) same &= value == expected;
  return same;
}

bool mentions(const std::string& fault, const char* words) { return fault.find(words) != std::string::npos; }

}  // namespace

int main() {
  report("a sum of two warps", allAre(2080, [](int* out) { sumOfWarps(true, out); }));
  report("read before it is written", !allAre(2080, [](int* out) { sumOfWarps(false, out); }));
  report("memory used twice", allAre(3, [](int* out) { useTwice(true, out); }));
  report("written before it is read", !allAre(3, [](int* out) { useTwice(false, out); }));
  report("a barrier for some", mentions(faultOf(barrierForSome), "never come to"));
  report("past the shared memory", mentions(faultOf(pastSharedMemory), "past the shared memory"));
  report("a lane that takes no part", mentions(faultOf(laneOutsideMask), "takes no part"));
  report("a caller outside its mask", mentions(faultOf(callerOutsideMask), "outside its mask"));
  report("right again after faults", allAre(2080, [](int* out) { sumOfWarps(true, out); }));
  return failures;
}
