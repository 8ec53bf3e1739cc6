#pragma once

// GCC 12 takes its own header's undefined values for mistakes of ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include "cpu/simd/vec.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

using Vec = __m512;
using IntVec = __m512i;
using Mask = __mmask16;
constexpr int kWidth = 16;

CUDNN_GRU_INLINE Mask firstLanes(int64_t n) { return Mask((1u << n) - 1); }

CUDNN_GRU_INLINE Vec zero() { return _mm512_setzero_ps(); }
CUDNN_GRU_INLINE Vec broadcast(float x) { return _mm512_set1_ps(x); }
CUDNN_GRU_INLINE Vec load(const float* p) { return _mm512_loadu_ps(p); }
CUDNN_GRU_INLINE void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
CUDNN_GRU_INLINE Vec loadPartial(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(firstLanes(n), p); }
CUDNN_GRU_INLINE void storePartial(float* p, int64_t n, Vec v) { _mm512_mask_storeu_ps(p, firstLanes(n), v); }
CUDNN_GRU_INLINE IntVec broadcastInt(int32_t x) { return _mm512_set1_epi32(x); }
CUDNN_GRU_INLINE IntVec loadInts(const int32_t* p) { return _mm512_loadu_si512(p); }
CUDNN_GRU_INLINE void storeInts(int32_t* p, IntVec v) { _mm512_storeu_si512(p, v); }
CUDNN_GRU_INLINE IntVec loadIntsPartial(const int32_t* p, int64_t n) {
  return _mm512_maskz_loadu_epi32(firstLanes(n), p);
}
CUDNN_GRU_INLINE void storeIntsPartial(int32_t* p, int64_t n, IntVec v) {
  _mm512_mask_storeu_epi32(p, firstLanes(n), v);
}

CUDNN_GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
CUDNN_GRU_INLINE Vec fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }
CUDNN_GRU_INLINE Vec sqrt(Vec a) { return _mm512_sqrt_ps(a); }
CUDNN_GRU_INLINE Vec abs(Vec a) { return _mm512_abs_ps(a); }
CUDNN_GRU_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
CUDNN_GRU_INLINE Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }

CUDNN_GRU_INLINE Mask lessThan(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
CUDNN_GRU_INLINE Mask lessEqual(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
CUDNN_GRU_INLINE Mask equal(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
CUDNN_GRU_INLINE Mask isNan(Vec a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
CUDNN_GRU_INLINE Mask equalInts(IntVec a, IntVec b) { return _mm512_cmpeq_epi32_mask(a, b); }
CUDNN_GRU_INLINE Mask greaterInts(IntVec a, IntVec b) { return _mm512_cmpgt_epi32_mask(a, b); }
CUDNN_GRU_INLINE Vec select(Mask m, Vec a, Vec b) { return _mm512_mask_blend_ps(m, b, a); }
CUDNN_GRU_INLINE IntVec select(Mask m, IntVec a, IntVec b) { return _mm512_mask_blend_epi32(m, b, a); }
CUDNN_GRU_INLINE bool any(Mask m) { return m != 0; }
CUDNN_GRU_INLINE Mask both(Mask m, Mask n) { return Mask(m & n); }
CUDNN_GRU_INLINE Mask either(Mask m, Mask n) { return Mask(m | n); }
CUDNN_GRU_INLINE Mask negated(Mask m) { return Mask(~m); }

CUDNN_GRU_INLINE IntVec bits(Vec v) { return _mm512_castps_si512(v); }
CUDNN_GRU_INLINE Vec fromBits(IntVec i) { return _mm512_castsi512_ps(i); }
CUDNN_GRU_INLINE IntVec addInts(IntVec a, IntVec b) { return _mm512_add_epi32(a, b); }
CUDNN_GRU_INLINE IntVec subInts(IntVec a, IntVec b) { return _mm512_sub_epi32(a, b); }
CUDNN_GRU_INLINE IntVec mulInts(IntVec a, IntVec b) { return _mm512_mullo_epi32(a, b); }
CUDNN_GRU_INLINE IntVec andInts(IntVec a, IntVec b) { return _mm512_and_si512(a, b); }
CUDNN_GRU_INLINE IntVec orInts(IntVec a, IntVec b) { return _mm512_or_si512(a, b); }
CUDNN_GRU_INLINE IntVec xorInts(IntVec a, IntVec b) { return _mm512_xor_si512(a, b); }
template <int n>
CUDNN_GRU_INLINE IntVec shiftLeft(IntVec a) {
  return _mm512_slli_epi32(a, n);
}
template <int n>
CUDNN_GRU_INLINE IntVec shiftRight(IntVec a) {
  return _mm512_srai_epi32(a, n);
}
template <int n>
CUDNN_GRU_INLINE IntVec shiftRightLogical(IntVec a) {
  return _mm512_srli_epi32(a, n);
}
CUDNN_GRU_INLINE Vec toFloats(IntVec a) { return _mm512_cvtepi32_ps(a); }
CUDNN_GRU_INLINE IntVec toInts(Vec a) { return _mm512_cvtps_epi32(a); }

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
