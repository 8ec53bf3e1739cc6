#pragma once

#include <cstdint>
#include <vector>

#include "device/buffer.h"

// What attention needs beside linear and matmul: batch rows of `queries` states that look at `time` steps of a padded
// sequence.
namespace cudnn_gru::ops {

constexpr double kWorkOfTanh = 16;  // in multiply-adds

struct AttentionShape {
  int64_t batch, queries, time;
  std::vector<int64_t> lengths;  // [batch] on the host, 0 allowed; or empty: all of full length

  int64_t lengthOf(int64_t row) const { return lengths.empty() ? time : lengths[row]; }

  template <class V>
  void shape(V& visit) {
    visit.size(batch, "batch");
    visit.size(queries, "queries");
    visit.size(time, "time");
    visit.hostInts(lengths, "lengths", batch);
    for (int64_t length : lengths) visit.require(length >= 0 && length <= time, "0 <= lengths <= time");
  }
};

// y[b, q] = softmax of x[b, q, 0..lengths[b]), and 0 at the steps after; a length of 0 gives zeros. What stands at
// those steps is not read. The gradient is that of ops::Softmax.
struct MaskedSoftmax : AttentionShape {
  View x;  // [batch, queries, time]
  View y;  // [batch, queries, time]
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.in(x, "x", {batch, queries, time});
    visit.out(y, "y", {batch, queries, time});
  }
};

// scores[b, q, t] = sum_a scale[a] tanh(query[b, q, a] + keys[b, t, a]) for t < lengths[b], and 0 after
// (Bahdanau et al. 2015).
struct AdditiveScores : AttentionShape {
  int64_t size;
  View query;   // [batch, queries, size]
  View keys;    // [batch, time, size]
  View scale;   // [size]
  View scores;  // [batch, queries, time]
  double work() const { return kWorkOfTanh * double(batch) * double(queries) * double(time) * double(size); }
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.size(size, "size");
    visit.in(query, "query", {batch, queries, size});
    visit.in(keys, "keys", {batch, time, size});
    visit.in(scale, "scale", {size});
    visit.out(scores, "scores", {batch, queries, time});
  }
};
// The tanh is computed again: kept, it would take batch × queries × time × size.
struct AdditiveScoresBackward : AttentionShape {
  int64_t size;
  View query;       // [batch, queries, size]
  View keys;        // [batch, time, size]
  View scale;       // [size]
  View scoresGrad;  // [batch, queries, time]; not read at t >= lengths[b]
  View queryGrad;   // [batch, queries, size]
  View keysGrad;    // [batch, time, size], 0 at t >= lengths[b]
  View scaleGrad;   // [size]
  double work() const { return 2 * kWorkOfTanh * double(batch) * double(queries) * double(time) * double(size); }
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.size(size, "size");
    visit.in(query, "query", {batch, queries, size});
    visit.in(keys, "keys", {batch, time, size});
    visit.in(scale, "scale", {size});
    visit.in(scoresGrad, "scoresGrad", {batch, queries, time});
    visit.out(queryGrad, "queryGrad", {batch, queries, size});
    visit.out(keysGrad, "keysGrad", {batch, time, size});
    visit.out(scaleGrad, "scaleGrad", {size});
  }
};

}  // namespace cudnn_gru::ops
