#pragma once

#include "cpu/simd/vec.h"

// exp, log, tanh and sigmoid of a vector. NaN stays NaN. One chain of exactly rounded operations each, so every
// instruction set with fused multiply-add gives the same bits. Largest errors are stated in units of the last place
// (ulp).
namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

constexpr float kLog2E = 0x1.715476p+0f;
// ln 2 in two parts; the first has 15 bits, so that its product with an exponent is exact.
constexpr float kLn2High = 0x1.62e4p-1f;
constexpr float kLn2Low = 0x1.7f7d1cp-20f;
// Adding it rounds to the nearest whole number, which then stands in the lowest bits.
constexpr float kRounder = 0x1.8p23f;

// e^r - 1 for |r| <= ln 2 / 2: r + r² q(r), q through the Chebyshev points of (e^r - 1 - r) / r² there (error < 1e-8).
CUDNN_GRU_INLINE Vec expReduced(Vec r) {
  Vec q = broadcast(0x1.6d1118p-10f);
  q = fma(q, r, broadcast(0x1.120b7ep-7f));
  q = fma(q, r, broadcast(0x1.55551ap-5f));
  q = fma(q, r, broadcast(0x1.5554dcp-3f));
  q = fma(q, r, broadcast(0.5f));
  return fma(q, r * r, r);
}

// n of x = n ln 2 + r, still as bits that carry the rounder; r in `reduced`.
CUDNN_GRU_INLINE IntVec reduceByLn2(Vec x, Vec* reduced) {
  const Vec shifted = fma(x, broadcast(kLog2E), broadcast(kRounder));
  const Vec n = shifted - broadcast(kRounder);
  *reduced = fnma(n, broadcast(kLn2Low), fnma(n, broadcast(kLn2High), x));
  return subInts(bits(shifted), bits(broadcast(kRounder)));
}

CUDNN_GRU_INLINE Vec powerOfTwo(IntVec n) { return fromBits(shiftLeft<23>(addInts(n, broadcastInt(127)))); }

// 1.1 ulp; +inf above 88.73, gradual underflow to 0 below -87.3.
CUDNN_GRU_INLINE Vec exp(Vec x) {
  Vec r;
  x = max(broadcast(-104.0f), min(broadcast(89.0f), x));  // NaN stays: both give their second operand then
  const IntVec n = reduceByLn2(x, &r);
  const IntVec half = shiftRight<1>(n);  // 2^n itself may be out of range
  return (expReduced(r) + broadcast(1.0f)) * powerOfTwo(half) * powerOfTwo(subInts(n, half));
}

// 1 / (1 + e^-x): 2 ulp, also in the far left tail; 0 below -88.73, where e^-x is out of range.
CUDNN_GRU_INLINE Vec sigmoid(Vec x) { return broadcast(1.0f) / (broadcast(1.0f) + exp(-x)); }

// With u = e^(-2|x|) - 1: tanh |x| = -u / (2 + u). 2.5 ulp, also near 0.
CUDNN_GRU_INLINE Vec tanh(Vec x) {
  const IntVec sign = andInts(bits(x), broadcastInt(int32_t(0x80000000u)));
  Vec r;
  const Vec y = max(broadcast(-20.0f), broadcast(-2.0f) * abs(x));
  const Vec scale = powerOfTwo(reduceByLn2(y, &r));
  const Vec u = fma(scale, expReduced(r), scale - broadcast(1.0f));
  return fromBits(orInts(bits((zero() - u) / (u + broadcast(2.0f))), sign));
}

// 1 ulp; -inf at 0, NaN below. x = 2^n m, sqrt(1/2) <= m < sqrt(2), log m = 2 atanh f with f = (m - 1) / (m + 1).
CUDNN_GRU_INLINE Vec log(Vec x) {
  const Mask subnormal = lessThan(x, broadcast(0x1p-126f));
  const Vec normal = select(subnormal, x * broadcast(0x1p23f), x);
  const IntVec shifted = subInts(bits(normal), broadcastInt(0x3f3504f3));  // bits of sqrt(1/2)
  const Vec n = toFloats(shiftRight<23>(shifted)) - select(subnormal, broadcast(23.0f), zero());
  const Vec m = fromBits(addInts(andInts(shifted, broadcastInt(0x007fffff)), broadcastInt(0x3f3504f3)));
  const Vec d = m - broadcast(1.0f);
  const Vec f = d / (d + broadcast(2.0f));
  const Vec f2 = f * f;
  Vec p = broadcast(2.0f / 9);
  p = fma(p, f2, broadcast(2.0f / 7));
  p = fma(p, f2, broadcast(2.0f / 5));
  p = fma(p, f2, broadcast(2.0f / 3));
  // 2f = d - f d
  const Vec tail = fma(f * f2, p, n * broadcast(kLn2Low));
  Vec y = fma(n, broadcast(kLn2High), d + fnma(f, d, tail));
  const Vec infinity = broadcast(__builtin_inff());
  y = select(equal(x, infinity), infinity, y);
  y = select(equal(x, zero()), -infinity, y);
  return select(lessEqual(zero(), x), y, broadcast(__builtin_nanf("")));
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
