#pragma once

#include <stdint.h>

// exp, log, tanh and sigmoid by the CPU backend's polynomials (cpu/simd/math.h, which explains them and states the
// errors): the same chains of exactly rounded operations, so the same bits on both devices. NaN stays NaN.
namespace cudnn_gru::kernels {

__device__ inline float bitsToFloat(uint32_t bits) { return __uint_as_float(bits); }

// The first unless it is larger (smaller) or one is NaN: then the second, as the CPU's vector instructions have it.
__device__ inline float smaller(float a, float b) { return a < b ? a : b; }
__device__ inline float larger(float a, float b) { return a > b ? a : b; }

constexpr float kRounder = 0x1.8p23f;

// e^r - 1 for |r| <= ln 2 / 2
__device__ inline float expReduced(float r) {
  float q = 0x1.6d1118p-10f;
  q = fmaf(q, r, 0x1.120b7ep-7f);
  q = fmaf(q, r, 0x1.55551ap-5f);
  q = fmaf(q, r, 0x1.5554dcp-3f);
  q = fmaf(q, r, 0.5f);
  return fmaf(q, r * r, r);
}

// n of x = n ln 2 + r; r in `reduced`
__device__ inline int32_t reduceByLn2(float x, float* reduced) {
  const float shifted = fmaf(x, 0x1.715476p+0f, kRounder);
  const float n = shifted - kRounder;
  *reduced = fmaf(-n, 0x1.7f7d1cp-20f, fmaf(-n, 0x1.62e4p-1f, x));
  return int32_t(__float_as_uint(shifted) - __float_as_uint(kRounder));
}

__device__ inline float powerOfTwo(int32_t n) { return bitsToFloat(uint32_t(n + 127) << 23); }

__device__ inline float exponential(float x) {
  float r;
  x = larger(-104.0f, smaller(89.0f, x));
  const int32_t n = reduceByLn2(x, &r), half = n >> 1;
  return (expReduced(r) + 1.0f) * powerOfTwo(half) * powerOfTwo(n - half);
}

__device__ inline float logistic(float x) { return 1.0f / (1.0f + exponential(-x)); }

__device__ inline float hyperbolicTangent(float x) {
  const uint32_t sign = __float_as_uint(x) & 0x80000000u;
  float r;
  const float y = larger(-20.0f, -2.0f * fabsf(x));
  const float scale = powerOfTwo(reduceByLn2(y, &r));
  const float u = fmaf(scale, expReduced(r), scale - 1.0f);
  return bitsToFloat(__float_as_uint((0.0f - u) / (u + 2.0f)) | sign);
}

__device__ inline float naturalLogarithm(float x) {
  const bool subnormal = x < 0x1p-126f;
  const float normal = subnormal ? x * 0x1p23f : x;
  const uint32_t shifted = __float_as_uint(normal) - 0x3f3504f3u;  // bits of sqrt(1/2)
  const float n = float(int32_t(shifted) >> 23) - (subnormal ? 23.0f : 0.0f);
  const float m = bitsToFloat((shifted & 0x007fffffu) + 0x3f3504f3u);
  const float d = m - 1.0f;
  const float f = d / (d + 2.0f);
  const float f2 = f * f;
  float p = 2.0f / 9;
  p = fmaf(p, f2, 2.0f / 7);
  p = fmaf(p, f2, 2.0f / 5);
  p = fmaf(p, f2, 2.0f / 3);
  const float tail = fmaf(f * f2, p, n * 0x1.7f7d1cp-20f);
  const float y = fmaf(n, 0x1.62e4p-1f, d + fmaf(-f, d, tail));
  if (x == INFINITY) return x;
  if (x == 0) return -INFINITY;
  return x >= 0 ? y : NAN;
}

}  // namespace cudnn_gru::kernels
