#pragma once

#include <arm_neon.h>

#include "cpu/simd/vec.h"

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

using Vec = float32x4_t;
using IntVec = int32x4_t;
using Mask = uint32x4_t;  // all bits of a lane set, or none
constexpr int kWidth = 4;

CUDNN_GRU_INLINE Vec zero() { return vdupq_n_f32(0); }
CUDNN_GRU_INLINE Vec broadcast(float x) { return vdupq_n_f32(x); }
CUDNN_GRU_INLINE Vec load(const float* p) { return vld1q_f32(p); }
CUDNN_GRU_INLINE void store(float* p, Vec v) { vst1q_f32(p, v); }
CUDNN_GRU_INLINE Vec loadPartial(const float* p, int64_t n) {
  float lanes[4] = {0, 0, 0, 0};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
  return vld1q_f32(lanes);
}
CUDNN_GRU_INLINE void storePartial(float* p, int64_t n, Vec v) {
  float lanes[4];
  vst1q_f32(lanes, v);
  for (int64_t i = 0; i < n; ++i) p[i] = lanes[i];
}
CUDNN_GRU_INLINE IntVec broadcastInt(int32_t x) { return vdupq_n_s32(x); }
CUDNN_GRU_INLINE IntVec loadInts(const int32_t* p) { return vld1q_s32(p); }
CUDNN_GRU_INLINE void storeInts(int32_t* p, IntVec v) { vst1q_s32(p, v); }
CUDNN_GRU_INLINE IntVec loadIntsPartial(const int32_t* p, int64_t n) {
  int32_t lanes[4] = {0, 0, 0, 0};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
  return vld1q_s32(lanes);
}
CUDNN_GRU_INLINE void storeIntsPartial(int32_t* p, int64_t n, IntVec v) {
  int32_t lanes[4];
  vst1q_s32(lanes, v);
  for (int64_t i = 0; i < n; ++i) p[i] = lanes[i];
}

CUDNN_GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return vfmaq_f32(c, a, b); }
CUDNN_GRU_INLINE Vec fnma(Vec a, Vec b, Vec c) { return vfmsq_f32(c, a, b); }
CUDNN_GRU_INLINE Vec sqrt(Vec a) { return vsqrtq_f32(a); }
CUDNN_GRU_INLINE Vec abs(Vec a) { return vabsq_f32(a); }
CUDNN_GRU_INLINE Vec max(Vec a, Vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
CUDNN_GRU_INLINE Vec min(Vec a, Vec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }

CUDNN_GRU_INLINE Mask lessThan(Vec a, Vec b) { return vcltq_f32(a, b); }
CUDNN_GRU_INLINE Mask lessEqual(Vec a, Vec b) { return vcleq_f32(a, b); }
CUDNN_GRU_INLINE Mask equal(Vec a, Vec b) { return vceqq_f32(a, b); }
CUDNN_GRU_INLINE Mask isNan(Vec a) { return vmvnq_u32(vceqq_f32(a, a)); }
CUDNN_GRU_INLINE Mask equalInts(IntVec a, IntVec b) { return vceqq_s32(a, b); }
CUDNN_GRU_INLINE Mask greaterInts(IntVec a, IntVec b) { return vcgtq_s32(a, b); }
CUDNN_GRU_INLINE Vec select(Mask m, Vec a, Vec b) { return vbslq_f32(m, a, b); }
CUDNN_GRU_INLINE IntVec select(Mask m, IntVec a, IntVec b) { return vbslq_s32(m, a, b); }
CUDNN_GRU_INLINE bool any(Mask m) { return vmaxvq_u32(m) != 0; }
CUDNN_GRU_INLINE Mask both(Mask m, Mask n) { return vandq_u32(m, n); }
CUDNN_GRU_INLINE Mask either(Mask m, Mask n) { return vorrq_u32(m, n); }
CUDNN_GRU_INLINE Mask negated(Mask m) { return vmvnq_u32(m); }

CUDNN_GRU_INLINE IntVec bits(Vec v) { return vreinterpretq_s32_f32(v); }
CUDNN_GRU_INLINE Vec fromBits(IntVec i) { return vreinterpretq_f32_s32(i); }
CUDNN_GRU_INLINE IntVec addInts(IntVec a, IntVec b) { return vaddq_s32(a, b); }
CUDNN_GRU_INLINE IntVec subInts(IntVec a, IntVec b) { return vsubq_s32(a, b); }
CUDNN_GRU_INLINE IntVec mulInts(IntVec a, IntVec b) { return vmulq_s32(a, b); }
CUDNN_GRU_INLINE IntVec andInts(IntVec a, IntVec b) { return vandq_s32(a, b); }
CUDNN_GRU_INLINE IntVec orInts(IntVec a, IntVec b) { return vorrq_s32(a, b); }
CUDNN_GRU_INLINE IntVec xorInts(IntVec a, IntVec b) { return veorq_s32(a, b); }
template <int n>
CUDNN_GRU_INLINE IntVec shiftLeft(IntVec a) {
  return vshlq_n_s32(a, n);
}
template <int n>
CUDNN_GRU_INLINE IntVec shiftRight(IntVec a) {
  return vshrq_n_s32(a, n);
}
template <int n>
CUDNN_GRU_INLINE IntVec shiftRightLogical(IntVec a) {
  return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), n));
}
CUDNN_GRU_INLINE Vec toFloats(IntVec a) { return vcvtq_f32_s32(a); }
CUDNN_GRU_INLINE IntVec toInts(Vec a) { return vcvtnq_s32_f32(a); }

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
