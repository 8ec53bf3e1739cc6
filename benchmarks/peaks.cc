// What one core of this machine can do, as JSON: the most float32 fused multiply-adds in a second (GFLOP/s; independent chains in
// registers), and the bandwidth (GB/s) at which it reads a block of so many bytes again and again: of the first cache that holds it.
#include <chrono>
#include <cstdio>
#include <vector>

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

double seconds(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double gflops() {
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
    const double rate = 2.0 * kLanes * kChains * kSteps / seconds(start) / 1e9;
    if (rate > best) best = rate;
  }
  return best;
}

double bandwidth(size_t bytes) {
  constexpr int kSums = 8;
  const size_t vectors = bytes / sizeof(Vector) / kSums * kSums;
  std::vector<Vector> block(vectors, Vector{} + 1.0f);
  const int repeats = int(64e6 / double(bytes)) + 1;
  double best = 0;
  for (int round = 0; round < 20; ++round) {
    Vector sums[kSums] = {};
    const auto start = std::chrono::steady_clock::now();
    for (int repeat = 0; repeat < repeats; ++repeat)
      for (size_t i = 0; i < vectors; i += kSums)
#pragma GCC unroll 8
        for (int sum = 0; sum < kSums; ++sum) {
          sums[sum] += block[i + sum];
          IN_REGISTER(sums[sum]);
        }
    const double rate = double(vectors * sizeof(Vector)) * repeats / seconds(start) / 1e9;
    if (rate > best) best = rate;
  }
  return best;
}

int main() {
  std::printf("{\"gflops\": %.1f, \"bandwidth\": [", gflops());
  for (size_t bytes = 16 << 10; bytes <= 16 << 20; bytes += bytes / 2)
    std::printf("%s[%zu, %.1f]", bytes == 16 << 10 ? "" : ", ", bytes, bandwidth(bytes));
  std::printf("]}\n");
}
