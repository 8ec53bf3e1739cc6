#pragma once

#include "cpu/simd/vec.h"

// What kernels that run over arrays share: the loop over vectors, and sums in float64.
namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

#define CUDNN_GRU_INLINE_MEMBER inline __attribute__((always_inline))

// How the body of forVectors reads and writes: a whole vector, or the elements that are left.
struct Whole {
  CUDNN_GRU_INLINE_MEMBER Vec read(const float* p) const { return load(p); }
  CUDNN_GRU_INLINE_MEMBER void write(float* p, Vec v) const { store(p, v); }
};
struct Rest {
  int64_t count;
  CUDNN_GRU_INLINE_MEMBER Vec read(const float* p) const { return loadPartial(p, count); }
  CUDNN_GRU_INLINE_MEMBER void write(float* p, Vec v) const { storePartial(p, count, v); }
};

// body(i, at) for every vector of 0..count
template <class Body>
CUDNN_GRU_INLINE void forVectors(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) body(i, Whole{});
  if (i < count) body(i, Rest{count - i});
}

// Sums are made of 16 float64 lanes on every instruction set, lane i % 16 adding what belongs to element i: the same
// bits everywhere, and nothing that a float32 sum of a million elements would lose. The loops are left to the compiler
// to vectorise.
constexpr int kSumLanes = 16;

CUDNN_GRU_INLINE double sumOfLanes(double* lanes) {
  for (int width = kSumLanes / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

// The sum of term(i) over 0..count; term gives a double.
template <class Term>
CUDNN_GRU_INLINE double sumOfTerms(int64_t count, const Term& term) {
  double lanes[kSumLanes] = {};
  int64_t i = 0;
  for (; i + kSumLanes <= count; i += kSumLanes)
    for (int lane = 0; lane < kSumLanes; ++lane) lanes[lane] += term(i + lane);
  for (int lane = 0; i + lane < count; ++lane) lanes[lane] += term(i + lane);
  return sumOfLanes(lanes);
}

CUDNN_GRU_INLINE double sumOf(const float* x, int64_t count) {
  return sumOfTerms(count, [=](int64_t i) { return double(x[i]); });
}

// sums[c] += term(r, c) for every row r of 0..rows in order. Four rows at a time, to go through the sums less often.
template <class Term>
CUDNN_GRU_INLINE void addRowTerms(int64_t rows, int64_t columns, double* CUDNN_GRU_RESTRICT sums, const Term& term) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
    for (int64_t c = 0; c < columns; ++c)
      sums[c] = (((sums[c] + term(r, c)) + term(r + 1, c)) + term(r + 2, c)) + term(r + 3, c);
  for (; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) sums[c] += term(r, c);
}

// What a kernel computes only to sum it goes through a buffer of this many floats.
constexpr int64_t kChunk = 256;

// The sum of body(i, at) over 0..count, body giving a vector. The elements are kept in `out` unless that is null.
template <class Body>
CUDNN_GRU_INLINE double sumOfVectors(int64_t count, float* out, const Body& body) {
  float buffer[kChunk];
  double total = 0;
  for (int64_t start = 0; start < count; start += kChunk) {
    const int64_t taken = count - start < kChunk ? count - start : kChunk;
    float* chunk = out ? out + start : buffer;
    forVectors(taken, [&](int64_t i, auto at) { at.write(chunk + i, body(start + i, at)); });
    total += sumOf(chunk, taken);
  }
  return total;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
