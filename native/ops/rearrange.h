#pragma once

#include <cstdint>
#include <vector>

#include "device/buffer.h"

// Operations that move elements and change none: any element type. A tensor is seen as [outer, axis, inner].
namespace cudnn_gru::ops {

// y = the parts side by side along one axis
struct Concat {
  int64_t outer, inner;
  std::vector<int64_t> lengths;  // of each part along the axis
  int64_t length;                // their sum
  std::vector<View> parts;       // each [outer, lengths[i], inner]
  View y;                        // [outer, length, inner]
  template <class V>
  void fields(V& visit) {
    visit.extent(outer, "outer");
    visit.extent(inner, "inner");
    visit.hostInts(lengths, "lengths", -1);
    visit.extent(length, "length");
    visit.parts(parts, "parts", outer, lengths, inner, length);
    visit.outLike(y, "y", {outer, length, inner}, parts);
  }
};

// y = x[:, start : start + taken, :]
struct Slice {
  int64_t outer, length, inner, start, taken;
  View x;  // [outer, length, inner]
  View y;  // [outer, taken, inner]
  template <class V>
  void fields(V& visit) {
    visit.extent(outer, "outer");
    visit.extent(length, "length");
    visit.extent(inner, "inner");
    visit.extent(start, "start");
    visit.extent(taken, "taken");
    visit.require(start + taken <= length, "start + taken <= length");
    visit.inAny(x, "x", {outer, length, inner});
    visit.outLike(y, "y", {outer, taken, inner}, {x});
  }
};

// xGrad = yGrad at start : start + taken, 0 elsewhere
struct SliceBackward {
  int64_t outer, length, inner, start, taken;
  View yGrad;  // [outer, taken, inner]
  View xGrad;  // [outer, length, inner]
  template <class V>
  void fields(V& visit) {
    visit.extent(outer, "outer");
    visit.extent(length, "length");
    visit.extent(inner, "inner");
    visit.extent(start, "start");
    visit.extent(taken, "taken");
    visit.require(start + taken <= length, "start + taken <= length");
    visit.in(yGrad, "yGrad", {outer, taken, inner});
    visit.out(xGrad, "xGrad", {outer, length, inner});
  }
};

// y[o, n, m, k, i] = x[o, m, n, k', i] with two axes exchanged: x is [outer, m, middle, n, inner], y [outer, n, middle,
// m, inner]
struct Transpose {
  int64_t outer, m, middle, n, inner;
  View x;
  View y;
  template <class V>
  void fields(V& visit) {
    visit.extent(outer, "outer");
    visit.extent(m, "m");
    visit.extent(middle, "middle");
    visit.extent(n, "n");
    visit.extent(inner, "inner");
    visit.inAny(x, "x", {outer, m, middle, n, inner});
    visit.outLike(y, "y", {outer, n, middle, m, inner}, {x});
  }
};

}  // namespace cudnn_gru::ops
