// The most float32 fused multiply-adds that one core of this machine does in a second, in GFLOP/s: independent chains in registers.
#include <chrono>
#include <cstdio>

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

#if defined(__x86_64__)
#define IN_REGISTER(x) asm volatile("" : "+x"(x))
#else
#define IN_REGISTER(x) asm volatile("" : "+w"(x))
#endif

int main() {
  constexpr int kChains = 12;  // more than latency × throughput of any current core, and few enough for 16 registers
  constexpr long kSteps = 2'000'000;
  double best = 0;
  for (int round = 0; round < 20; ++round) {
    Vector sums[kChains] = {}, factor = Vector{} + 0.999f, addend = Vector{} + 1e-3f;
    const auto start = std::chrono::steady_clock::now();
    for (long step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
      for (int chain = 0; chain < kChains; ++chain) {
        sums[chain] = sums[chain] * factor + addend;
        IN_REGISTER(sums[chain]);  // or equal chains would be computed once
      }
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const double gflops = 2.0 * kLanes * kChains * kSteps / seconds.count() / 1e9;
    if (gflops > best) best = gflops;
  }
  std::printf("%.1f\n", best);
}
