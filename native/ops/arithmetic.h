#pragma once

#include <cstdint>
#include <vector>

#include "device/buffer.h"

// Elementwise operations, broadcasting, reductions and random numbers.
namespace cudnn_gru::ops {

// out[i] = value
struct Fill {
  int64_t count;
  double value;
  View out;  // [count]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.number(value, "value");
    visit.out(out, "out", {count});
  }
};

// Philox4x32-10 (Salmon et al. 2011): block i / 4 of the stream is philox(key = seed, counter = offset + i / 4), and
// element i takes word i % 4 of it. The key is (low, high word of seed), the counter (low, high word of the block, 0,
// 0). `offset` counts blocks of four, so the next call starts at offset + ceil(count / 4).
struct RandomFill {
  int64_t count;
  uint64_t seed, offset;
  View out;  // [count]
};

// out[i] = low + (high - low) * (word >> 8) * 2^-24, at most the largest number below high (low, if high = low)
struct RandomUniform : RandomFill {
  double low, high;
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.seed(seed, "seed");
    visit.seed(offset, "offset");
    visit.number(low, "low");
    visit.number(high, "high");
    visit.out(out, "out", {count});
  }
};

// Box-Muller on words (0, 1) and (2, 3) of a block, the cosine first: with u = (word0 + 1) 2^-32 and v = word1 2^-32,
// mean + deviation sqrt(-2 ln u) cos(2 pi v), then the same with sin.
struct RandomNormal : RandomFill {
  double mean, deviation;
  double work() const { return 400.0 * double(count); }  // a logarithm, a sine and a cosine of the C library for two
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.seed(seed, "seed");
    visit.seed(offset, "offset");
    visit.number(mean, "mean");
    visit.number(deviation, "deviation");
    visit.out(out, "out", {count});
  }
};

// target = x, in place of what target held; any element type
struct Copy {
  int64_t count;
  View x;       // [count]
  View target;  // [count]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.inAny(x, "x", {count});
    visit.inOutAny(target, "target", {count});
  }
};

// target += x
struct Accumulate {
  int64_t count;
  View x;       // [count]
  View target;  // [count]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.in(x, "x", {count});
    visit.inOut(target, "target", {count});
  }
};

// out = factor * x + offset
struct Scale {
  int64_t count;
  double factor, offset;
  View x;    // [count]
  View out;  // [count]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.number(factor, "factor");
    visit.number(offset, "offset");
    visit.in(x, "x", {count});
    visit.out(out, "out", {count});
  }
};

struct Unary {
  int64_t count;
  View x;    // [count]
  View out;  // [count]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.in(x, "x", {count});
    visit.out(out, "out", {count});
  }
};
struct Tanh : Unary {};
struct Sigmoid : Unary {};
struct Relu : Unary {};

// The gradient of x from the gradient of y = f(x) and y itself.
struct UnaryBackward {
  int64_t count;
  View y;      // [count]
  View yGrad;  // [count]
  View xGrad;  // [count]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.in(y, "y", {count});
    visit.in(yGrad, "yGrad", {count});
    visit.out(xGrad, "xGrad", {count});
  }
};
struct TanhBackward : UnaryBackward {};
struct SigmoidBackward : UnaryBackward {};
struct ReluBackward : UnaryBackward {};

// out[i...] = a[i...] (+ - * /) b[i...] over `dims`; a dimension along which an operand is broadcast has stride 0.
// Strides count elements. Neighbouring dimensions that can be are already merged.
struct Binary {
  int64_t rank;
  std::vector<int64_t> dims, aStrides, bStrides;  // [rank]
  int64_t aCount, bCount, count;
  View a;    // [aCount]
  View b;    // [bCount]
  View out;  // [count], contiguous over dims
  template <class V>
  void fields(V& visit) {
    visit.extent(rank, "rank");
    visit.hostInts(dims, "dims", rank);
    visit.hostInts(aStrides, "aStrides", rank);
    visit.hostInts(bStrides, "bStrides", rank);
    visit.extent(aCount, "aCount");
    visit.extent(bCount, "bCount");
    visit.extent(count, "count");
    visit.in(a, "a", {aCount});
    visit.in(b, "b", {bCount});
    visit.out(out, "out", {count});
    visit.strided("a", dims, aStrides, aCount);
    visit.strided("b", dims, bStrides, bCount);
    visit.contiguous("out", dims, count);
  }
};
struct Add : Binary {};
struct Sub : Binary {};
struct Mul : Binary {};
struct Div : Binary {};

// out = factor * sum of x over the dimensions in which outStrides is 0. x is contiguous over dims.
struct Sum {
  int64_t rank;
  std::vector<int64_t> dims, outStrides;  // [rank]
  int64_t count, outCount;
  double factor;
  View x;    // [count]
  View out;  // [outCount]
  template <class V>
  void fields(V& visit) {
    visit.extent(rank, "rank");
    visit.hostInts(dims, "dims", rank);
    visit.hostInts(outStrides, "outStrides", rank);
    visit.extent(count, "count");
    visit.extent(outCount, "outCount");
    visit.number(factor, "factor");
    visit.in(x, "x", {count});
    visit.out(out, "out", {outCount});
    visit.contiguous("x", dims, count);
    visit.strided("out", dims, outStrides, outCount);
  }
};

// out[i...] = factor * x[i...], x repeated along the dimensions in which xStrides is 0: the gradient of Sum.
struct Expand {
  int64_t rank;
  std::vector<int64_t> dims, xStrides;  // [rank]
  int64_t xCount, count;
  double factor;
  View x;    // [xCount]
  View out;  // [count], contiguous over dims
  template <class V>
  void fields(V& visit) {
    visit.extent(rank, "rank");
    visit.hostInts(dims, "dims", rank);
    visit.hostInts(xStrides, "xStrides", rank);
    visit.extent(xCount, "xCount");
    visit.extent(count, "count");
    visit.number(factor, "factor");
    visit.in(x, "x", {xCount});
    visit.out(out, "out", {count});
    visit.strided("x", dims, xStrides, xCount);
    visit.contiguous("out", dims, count);
  }
};

}  // namespace cudnn_gru::ops
