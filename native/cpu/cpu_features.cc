#include "cpu/cpu_features.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "cpu/simd/kernel_table.h"
#include "device/error.h"
#include "platform/cpus.h"

#if CUDNN_GRU_X86
#include <cpuid.h>
#endif

namespace cudnn_gru {
namespace {

#if CUDNN_GRU_X86

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

// Which register states the operating system saves: without it a vector register may not be touched.
uint64_t enabledStates() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

InstructionSet bestSet() {
  const Registers base = cpuid(1);
  constexpr uint32_t kFma = 1u << 12, kOsXsave = 1u << 27, kAvx = 1u << 28;
  if ((base.ecx & (kFma | kOsXsave | kAvx)) != (kFma | kOsXsave | kAvx)) return InstructionSet::kBaseline;
  const uint64_t states = enabledStates();
  const Registers extended = cpuid(7);
  constexpr uint32_t kAvx2 = 1u << 5;
  constexpr uint32_t kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
  constexpr uint64_t kYmmStates = 0x6, kZmmStates = 0xe6;
  if ((states & kYmmStates) != kYmmStates || !(extended.ebx & kAvx2)) return InstructionSet::kBaseline;
  if ((states & kZmmStates) != kZmmStates || (extended.ebx & kAvx512) != kAvx512) return InstructionSet::kAvx2;
  return InstructionSet::kAvx512;
}

DotProducts bestDotProducts() {
  constexpr uint32_t kVnni = 1u << 11, kBfloat16 = 1u << 5;
  const bool hasSubleaf = cpuid(7).eax >= 1;
  return {(cpuid(7).ecx & kVnni) != 0, hasSubleaf && (cpuid(7, 1).eax & kBfloat16) != 0};
}

#else

InstructionSet bestSet() { return InstructionSet::kBaseline; }
DotProducts bestDotProducts() { return {}; }

#endif

InstructionSet choose() {
  const InstructionSet best = bestSet();
  const char* asked = std::getenv("CUDNN_GRU_CPU");
  if (!asked || !*asked) return best;
  for (InstructionSet set : {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (std::strcmp(asked, name(set)) != 0) continue;
    if (set <= best) return set;
    throw Error("ERR_UNSUPPORTED", std::string("CUDNN_GRU_CPU is '") + asked +
                                       "', which this processor cannot run: use '" + name(best) +
                                       "' or leave the variable unset");
  }
  throw Error("ERR_UNSUPPORTED",
              std::string("CUDNN_GRU_CPU is '") + asked + "': expected 'baseline', 'avx2' or 'avx512'");
}

}  // namespace

InstructionSet instructionSet() {
  static const InstructionSet set = choose();
  return set;
}

DotProducts dotProducts() {
  static const DotProducts products = instructionSet() == InstructionSet::kAvx512 ? bestDotProducts() : DotProducts{};
  return products;
}

const char* name(InstructionSet set) {
  switch (set) {
    case InstructionSet::kAvx512:
      return "avx512";
    case InstructionSet::kAvx2:
      return "avx2";
    default:
      return "baseline";
  }
}

std::string processorName() {
#if CUDNN_GRU_X86
  constexpr uint32_t kFirst = 0x80000002u, kLast = 0x80000004u;
  if (cpuid(0x80000000u).eax >= kLast) {
    char text[49] = {};
    for (uint32_t leaf = kFirst; leaf <= kLast; ++leaf) {
      const Registers r = cpuid(leaf);
      std::memcpy(text + 16 * (leaf - kFirst), &r, 16);
    }
    const char* start = text;
    while (*start == ' ') ++start;
    std::string result(start);
    while (!result.empty() && result.back() == ' ') result.pop_back();
    if (!result.empty()) return result;
  }
#else
  const std::string result = platform::processorName();
  if (!result.empty()) return result;
#endif
  return "unknown processor";
}

}  // namespace cudnn_gru
