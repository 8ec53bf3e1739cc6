#pragma once

#include "cpu/simd/vec.h"

// Vectors of four in the compiler's own types: SSE2 on x86-64, whatever there is elsewhere.
namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

typedef float Vec __attribute__((vector_size(16)));
typedef int32_t IntVec __attribute__((vector_size(16)));
typedef uint32_t UnsignedVec __attribute__((vector_size(16)));
using Mask = IntVec;  // -1 or 0 a lane
constexpr int kWidth = 4;

CUDNN_GRU_INLINE Vec zero() { return Vec{0, 0, 0, 0}; }
CUDNN_GRU_INLINE Vec broadcast(float x) { return Vec{x, x, x, x}; }
CUDNN_GRU_INLINE Vec load(const float* p) {
  Vec v;
  memcpy(&v, p, sizeof v);
  return v;
}
CUDNN_GRU_INLINE void store(float* p, Vec v) { memcpy(p, &v, sizeof v); }
CUDNN_GRU_INLINE Vec loadPartial(const float* p, int64_t n) {
  Vec v = zero();
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
CUDNN_GRU_INLINE void storePartial(float* p, int64_t n, Vec v) {
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
}
CUDNN_GRU_INLINE IntVec broadcastInt(int32_t x) { return IntVec{x, x, x, x}; }
CUDNN_GRU_INLINE IntVec loadInts(const int32_t* p) {
  IntVec v;
  memcpy(&v, p, sizeof v);
  return v;
}
CUDNN_GRU_INLINE void storeInts(int32_t* p, IntVec v) { memcpy(p, &v, sizeof v); }
CUDNN_GRU_INLINE IntVec loadIntsPartial(const int32_t* p, int64_t n) {
  IntVec v = broadcastInt(0);
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
CUDNN_GRU_INLINE void storeIntsPartial(int32_t* p, int64_t n, IntVec v) {
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
}

CUDNN_GRU_INLINE Mask lessThan(Vec a, Vec b) { return a < b; }
CUDNN_GRU_INLINE Mask lessEqual(Vec a, Vec b) { return a <= b; }
CUDNN_GRU_INLINE Mask equal(Vec a, Vec b) { return a == b; }
CUDNN_GRU_INLINE Mask isNan(Vec a) { return a != a; }
CUDNN_GRU_INLINE Mask equalInts(IntVec a, IntVec b) { return a == b; }
CUDNN_GRU_INLINE Mask greaterInts(IntVec a, IntVec b) { return a > b; }
CUDNN_GRU_INLINE IntVec bits(Vec v) { return (IntVec)v; }
CUDNN_GRU_INLINE Vec fromBits(IntVec i) { return (Vec)i; }
CUDNN_GRU_INLINE IntVec select(Mask m, IntVec a, IntVec b) { return (m & a) | (~m & b); }
CUDNN_GRU_INLINE Vec select(Mask m, Vec a, Vec b) { return fromBits(select(m, bits(a), bits(b))); }
CUDNN_GRU_INLINE bool any(Mask m) { return (m[0] | m[1] | m[2] | m[3]) != 0; }
CUDNN_GRU_INLINE Mask both(Mask m, Mask n) { return m & n; }
CUDNN_GRU_INLINE Mask either(Mask m, Mask n) { return m | n; }
CUDNN_GRU_INLINE Mask negated(Mask m) { return ~m; }

CUDNN_GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
CUDNN_GRU_INLINE Vec fnma(Vec a, Vec b, Vec c) { return c - a * b; }
CUDNN_GRU_INLINE Vec sqrt(Vec a) {
  return Vec{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])};
}
CUDNN_GRU_INLINE Vec abs(Vec a) { return fromBits(bits(a) & broadcastInt(0x7fffffff)); }
CUDNN_GRU_INLINE Vec max(Vec a, Vec b) { return select(a > b, a, b); }
CUDNN_GRU_INLINE Vec min(Vec a, Vec b) { return select(a < b, a, b); }

CUDNN_GRU_INLINE IntVec addInts(IntVec a, IntVec b) { return (IntVec)((UnsignedVec)a + (UnsignedVec)b); }
CUDNN_GRU_INLINE IntVec subInts(IntVec a, IntVec b) { return (IntVec)((UnsignedVec)a - (UnsignedVec)b); }
CUDNN_GRU_INLINE IntVec mulInts(IntVec a, IntVec b) { return (IntVec)((UnsignedVec)a * (UnsignedVec)b); }
CUDNN_GRU_INLINE IntVec andInts(IntVec a, IntVec b) { return a & b; }
CUDNN_GRU_INLINE IntVec orInts(IntVec a, IntVec b) { return a | b; }
CUDNN_GRU_INLINE IntVec xorInts(IntVec a, IntVec b) { return a ^ b; }
template <int n>
CUDNN_GRU_INLINE IntVec shiftLeft(IntVec a) {
  return (IntVec)((UnsignedVec)a << n);
}
template <int n>
CUDNN_GRU_INLINE IntVec shiftRight(IntVec a) {
  return a >> n;
}
template <int n>
CUDNN_GRU_INLINE IntVec shiftRightLogical(IntVec a) {
  return (IntVec)((UnsignedVec)a >> n);
}
CUDNN_GRU_INLINE Vec toFloats(IntVec a) { return Vec{float(a[0]), float(a[1]), float(a[2]), float(a[3])}; }
CUDNN_GRU_INLINE IntVec toInts(Vec a) {
  return IntVec{int32_t(__builtin_rintf(a[0])), int32_t(__builtin_rintf(a[1])), int32_t(__builtin_rintf(a[2])),
                int32_t(__builtin_rintf(a[3]))};
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
