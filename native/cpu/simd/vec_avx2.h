#pragma once

#include <immintrin.h>

#include "cpu/simd/vec.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

using Vec = __m256;
using IntVec = __m256i;
using Mask = __m256;  // all bits of a lane set, or none
constexpr int kWidth = 8;

CUDNN_GRU_INLINE IntVec firstLanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int32_t(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

CUDNN_GRU_INLINE Vec zero() { return _mm256_setzero_ps(); }
CUDNN_GRU_INLINE Vec broadcast(float x) { return _mm256_set1_ps(x); }
CUDNN_GRU_INLINE Vec load(const float* p) { return _mm256_loadu_ps(p); }
CUDNN_GRU_INLINE void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
CUDNN_GRU_INLINE Vec loadPartial(const float* p, int64_t n) { return _mm256_maskload_ps(p, firstLanes(n)); }
CUDNN_GRU_INLINE void storePartial(float* p, int64_t n, Vec v) { _mm256_maskstore_ps(p, firstLanes(n), v); }
CUDNN_GRU_INLINE IntVec broadcastInt(int32_t x) { return _mm256_set1_epi32(x); }
CUDNN_GRU_INLINE IntVec loadInts(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
CUDNN_GRU_INLINE void storeInts(int32_t* p, IntVec v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
CUDNN_GRU_INLINE IntVec loadIntsPartial(const int32_t* p, int64_t n) { return _mm256_maskload_epi32(p, firstLanes(n)); }
CUDNN_GRU_INLINE void storeIntsPartial(int32_t* p, int64_t n, IntVec v) { _mm256_maskstore_epi32(p, firstLanes(n), v); }

CUDNN_GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
CUDNN_GRU_INLINE Vec fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a, b, c); }
CUDNN_GRU_INLINE Vec sqrt(Vec a) { return _mm256_sqrt_ps(a); }
CUDNN_GRU_INLINE Vec abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
CUDNN_GRU_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
CUDNN_GRU_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }

CUDNN_GRU_INLINE Mask lessThan(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
CUDNN_GRU_INLINE Mask lessEqual(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
CUDNN_GRU_INLINE Mask equal(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
CUDNN_GRU_INLINE Mask isNan(Vec a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
CUDNN_GRU_INLINE Mask equalInts(IntVec a, IntVec b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
CUDNN_GRU_INLINE Mask greaterInts(IntVec a, IntVec b) { return _mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b)); }
CUDNN_GRU_INLINE Vec select(Mask m, Vec a, Vec b) { return _mm256_blendv_ps(b, a, m); }
CUDNN_GRU_INLINE IntVec select(Mask m, IntVec a, IntVec b) { return _mm256_blendv_epi8(b, a, _mm256_castps_si256(m)); }
CUDNN_GRU_INLINE bool any(Mask m) { return _mm256_movemask_ps(m) != 0; }
CUDNN_GRU_INLINE Mask both(Mask m, Mask n) { return _mm256_and_ps(m, n); }
CUDNN_GRU_INLINE Mask either(Mask m, Mask n) { return _mm256_or_ps(m, n); }
CUDNN_GRU_INLINE Mask negated(Mask m) { return _mm256_xor_ps(m, _mm256_castsi256_ps(_mm256_set1_epi32(-1))); }

CUDNN_GRU_INLINE IntVec bits(Vec v) { return _mm256_castps_si256(v); }
CUDNN_GRU_INLINE Vec fromBits(IntVec i) { return _mm256_castsi256_ps(i); }
CUDNN_GRU_INLINE IntVec addInts(IntVec a, IntVec b) { return _mm256_add_epi32(a, b); }
CUDNN_GRU_INLINE IntVec subInts(IntVec a, IntVec b) { return _mm256_sub_epi32(a, b); }
CUDNN_GRU_INLINE IntVec mulInts(IntVec a, IntVec b) { return _mm256_mullo_epi32(a, b); }
CUDNN_GRU_INLINE IntVec andInts(IntVec a, IntVec b) { return _mm256_and_si256(a, b); }
CUDNN_GRU_INLINE IntVec orInts(IntVec a, IntVec b) { return _mm256_or_si256(a, b); }
CUDNN_GRU_INLINE IntVec xorInts(IntVec a, IntVec b) { return _mm256_xor_si256(a, b); }
template <int n>
CUDNN_GRU_INLINE IntVec shiftLeft(IntVec a) {
  return _mm256_slli_epi32(a, n);
}
template <int n>
CUDNN_GRU_INLINE IntVec shiftRight(IntVec a) {
  return _mm256_srai_epi32(a, n);
}
template <int n>
CUDNN_GRU_INLINE IntVec shiftRightLogical(IntVec a) {
  return _mm256_srli_epi32(a, n);
}
CUDNN_GRU_INLINE Vec toFloats(IntVec a) { return _mm256_cvtepi32_ps(a); }
CUDNN_GRU_INLINE IntVec toInts(Vec a) { return _mm256_cvtps_epi32(a); }

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
