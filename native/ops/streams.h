#pragma once

#include <cstdint>
#include <vector>

#include "device/buffer.h"

// The states of many streams in one block, states [capacity, stateSize]: a row for each stream. A batch of streams
// takes its rows' elements from `offset` on, `parts` times `length` of them, for one module's state.
namespace cudnn_gru::ops {

struct StreamShape {
  int64_t capacity, stateSize;
  int64_t batch, parts, length;
  int64_t offset;
  std::vector<int64_t> rows;  // [batch] on the host, each row once

  template <class V>
  void shape(V& visit) {
    visit.size(capacity, "capacity");
    visit.size(stateSize, "stateSize");
    visit.size(batch, "batch");
    visit.size(parts, "parts");
    visit.size(length, "length");
    visit.extent(offset, "offset");
    visit.require(offset <= stateSize && parts <= (stateSize - offset) / length, "offset + parts * length");
    visit.hostInts(rows, "rows", batch);
    std::vector<bool> taken(size_t(capacity), false);
    for (int64_t row : rows) {
      visit.require(row >= 0 && row < capacity && !taken[size_t(row)], "rows");
      taken[size_t(row)] = true;
    }
    visit.require(int64_t(rows.size()) == batch, "rows");
  }
};

// y[p, b, i] = states[rows[b], offset + p * length + i]
struct GatherStates : StreamShape {
  View states;  // [capacity, stateSize]
  View y;       // [parts, batch, length]
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.in(states, "states", {capacity, stateSize});
    visit.out(y, "y", {parts, batch, length});
  }
};

// states[rows[b], offset + p * length + i] = x[p, b, i], in place
struct ScatterStates : StreamShape {
  View x;       // [parts, batch, length]
  View states;  // [capacity, stateSize]
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.in(x, "x", {parts, batch, length});
    visit.inOut(states, "states", {capacity, stateSize});
  }
};

}  // namespace cudnn_gru::ops
