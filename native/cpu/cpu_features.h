#pragma once

#include <string>

namespace cudnn_gru {

// The instruction sets the kernels are compiled for. On arm64 the baseline is NEON.
enum class InstructionSet { kBaseline, kAvx2, kAvx512 };

// The best set of this processor and operating system, or what CUDNN_GRU_CPU=baseline|avx2|avx512 asks for; read once.
// Throws ERR_UNSUPPORTED when it asks for an unknown set or one that cannot run here.
InstructionSet instructionSet();

// Instructions that not every processor with AVX-512 has, and that are used only with that set.
struct DotProducts {
  bool int8 = false;      // AVX512_VNNI
  bool bfloat16 = false;  // AVX512_BF16
};
DotProducts dotProducts();

const char* name(InstructionSet set);  // 'baseline', 'avx2', 'avx512', as in CUDNN_GRU_CPU

// As the processor names itself; 'unknown processor' if it does not.
std::string processorName();

}  // namespace cudnn_gru
