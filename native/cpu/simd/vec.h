#pragma once

#include <cstdint>
#include <cstring>

// One vector of floats, for kernel sources: files listed under [simd] in native/sources.txt, compiled once per
// instruction set with CUDNN_GRU_SIMD defined as baseline, avx2 or avx512 (on arm64 only baseline, which is NEON
// there). The same lines then work on 4, 8 or 16 lanes.
//
// To add kernels:
// 1. A table of plain function pointers in simd/<subject>_kernels.h, with CUDNN_GRU_KERNEL_TABLE (see kernel_table.h).
//    It may include only C headers: no STL, no inline functions shared with other files. A shared inline function or
//    template that is not inlined exists once per program, and the linker may keep the AVX-512 copy for all.
// 2. simd/<subject>.cc, under [simd]: includes "cpu/simd/vec.h" and its table's header, puts everything in
//    `namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE`, helpers `static` or CUDNN_GRU_INLINE, and ends with
//    `const SubjectKernels& subjectTable() { static constexpr SubjectKernels table{...}; return table; }`.
// 3. Callers outside write `subjectKernels().someKernel(...)`: the table for this machine.
//
// AVX2, AVX-512 and NEON give identical bits as long as a kernel keeps each element's own chain of operations: all
// these operations are exactly rounded, fma() is one rounding, nothing is contracted (-ffp-contract=off). The x86
// baseline has no fused multiply-add: there fma() rounds twice.

#define CUDNN_GRU_JOIN_(a, b) a##b
#define CUDNN_GRU_JOIN(a, b) CUDNN_GRU_JOIN_(a, b)
#define CUDNN_GRU_SIMD_NAMESPACE CUDNN_GRU_JOIN(simd_, CUDNN_GRU_SIMD)

#define CUDNN_GRU_SIMD_CODE_baseline 1
#define CUDNN_GRU_SIMD_CODE_avx2 2
#define CUDNN_GRU_SIMD_CODE_avx512 3
#define CUDNN_GRU_SIMD_CODE CUDNN_GRU_JOIN(CUDNN_GRU_SIMD_CODE_, CUDNN_GRU_SIMD)

#define CUDNN_GRU_INLINE static inline __attribute__((always_inline, unused))
#define CUDNN_GRU_RESTRICT __restrict__

// Names every header of this folder offers, beside Vec (floats), IntVec (int32) and Mask:
//   kWidth                                    lanes
//   zero(), broadcast(x), load(p), store(p, v)                       any alignment
//   loadPartial(p, n), storePartial(p, n, v)  the first n lanes, n <= kWidth; the others are read as 0
//   broadcastInt(x), loadInts(p), storeInts(p, v), loadIntsPartial(p, n), storeIntsPartial(p, n, v)
//   a + b, a - b, a * b, a / b, -a            on Vec (the compiler's own)
//   fma(a, b, c) = a * b + c, fnma(a, b, c) = c - a * b, sqrt(a), abs(a)
//   max(a, b) = a > b ? a : b, min(a, b) = a < b ? a : b             so b where either is NaN
//   lessThan(a, b), lessEqual, equal, isNan(a) -> Mask; equalInts(a, b), greaterInts(a, b)
//   select(mask, a, b) = mask ? a : b (Vec or IntVec), any(mask), both(m, n), either(m, n), negated(m)
//   bits(v), fromBits(i), addInts, subInts, mulInts, andInts, orInts, xorInts, shiftLeft<n>, shiftRight<n> (sign kept),
//   shiftRightLogical<n>, toFloats(i), toInts(v) (to nearest, ties to even)
//   sum(v), largest(v), smallest(v)           over the lanes, in a fixed order of its own per width

#if CUDNN_GRU_SIMD_CODE == 3
#include "cpu/simd/vec_avx512.h"
#elif CUDNN_GRU_SIMD_CODE == 2
#include "cpu/simd/vec_avx2.h"
#elif defined(__aarch64__)
#include "cpu/simd/vec_neon.h"
#else
#include "cpu/simd/vec_baseline.h"
#endif

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

CUDNN_GRU_INLINE float sum(Vec v) {
  float lanes[kWidth];
  store(lanes, v);
  for (int width = kWidth / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
}

CUDNN_GRU_INLINE float largest(Vec v) {
  float lanes[kWidth];
  store(lanes, v);
  float result = lanes[0];
  for (int i = 1; i < kWidth; ++i) result = lanes[i] > result || lanes[i] != lanes[i] ? lanes[i] : result;
  return result;
}

CUDNN_GRU_INLINE float smallest(Vec v) {
  float lanes[kWidth];
  store(lanes, v);
  float result = lanes[0];
  for (int i = 1; i < kWidth; ++i) result = lanes[i] < result || lanes[i] != lanes[i] ? lanes[i] : result;
  return result;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
