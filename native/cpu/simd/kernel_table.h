#pragma once

// Declares how a table of kernels is found: `table()` in the namespace of every instruction set, defined by the kernel
// source, and for callers `accessor()`, the table of the set in use. Written once, after the table's struct:
//   struct GemmKernels { ... };
//   CUDNN_GRU_KERNEL_TABLE(GemmKernels, gemmTable, gemmKernels)
#if defined(__x86_64__) || defined(_M_X64)
#define CUDNN_GRU_X86 1
#define CUDNN_GRU_KERNEL_TABLE_(Type, table) \
  namespace simd_baseline {                  \
  const Type& table();                       \
  }                                          \
  namespace simd_avx2 {                      \
  const Type& table();                       \
  }                                          \
  namespace simd_avx512 {                    \
  const Type& table();                       \
  }
#define CUDNN_GRU_CHOOSE_TABLE_(table) \
  switch (instructionSet()) {          \
    case InstructionSet::kAvx512:      \
      return simd_avx512::table();     \
    case InstructionSet::kAvx2:        \
      return simd_avx2::table();       \
    default:                           \
      return simd_baseline::table();   \
  }
#else
#define CUDNN_GRU_X86 0
#define CUDNN_GRU_KERNEL_TABLE_(Type, table) \
  namespace simd_baseline {                  \
  const Type& table();                       \
  }
#define CUDNN_GRU_CHOOSE_TABLE_(table) return simd_baseline::table();
#endif

// Kernel sources see only the declarations; what chooses is for everyone else.
#ifdef CUDNN_GRU_SIMD
#define CUDNN_GRU_KERNEL_TABLE(Type, table, accessor) CUDNN_GRU_KERNEL_TABLE_(Type, table)
#else
#include "cpu/cpu_features.h"
#define CUDNN_GRU_KERNEL_TABLE(Type, table, accessor) \
  CUDNN_GRU_KERNEL_TABLE_(Type, table)                \
  inline const Type& accessor() { CUDNN_GRU_CHOOSE_TABLE_(table) }
#endif
