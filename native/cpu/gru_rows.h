#pragma once

#include <cstdint>
#include <vector>

#include "ops/gru.h"

namespace cudnn_gru {

// The rows of a batch by descending length, and the steps of a sequence as both directions take them: step s is time s,
// or time length - 1 - s in the reversed direction, so at every step the rows still running are the first ones.
struct GruOrder {
  explicit GruOrder(const ops::GruSizes& shape);

  std::vector<int64_t> rows;     // [batch] row of the batch at each place
  std::vector<int64_t> lengths;  // [batch] its length
  std::vector<int64_t> running;  // [steps + 1] how many places are longer than s
  std::vector<int64_t> first;    // [steps + 1] places of all steps before s: the number of (s, place 0)
  int64_t steps;                 // of the longest row
  int64_t total() const { return first[steps]; }
};

// A sequence in memory: the features of row b at time t.
struct Sequence {
  float* data = nullptr;
  int64_t timeStride = 0, rowStride = 0;
  float* at(int64_t time, int64_t row) const { return data + time * timeStride + row * rowStride; }
};
Sequence sequenceOf(float* data, const ops::GruSizes& shape, int64_t features, bool timeMajor);

// One layer in one direction, and where its rows are.
struct GruCell {
  const GruOrder* order;
  bool reversed;
  int64_t inputSize, hiddenSize;
  Sequence x, output;    // output: this direction's part of it
  const float* initial;  // [batch, hiddenSize] or null
  float* gates;          // [total, 4, hiddenSize] or null
  const float* zeros;    // a row of zeros: the state before the first step when there is no other

  int64_t time(int64_t step, int64_t place) const { return reversed ? order->lengths[place] - 1 - step : step; }
  const float* xAt(int64_t step, int64_t place) const { return x.at(time(step, place), order->rows[place]); }
  float* outputAt(int64_t step, int64_t place) const { return output.at(time(step, place), order->rows[place]); }
  const float* hiddenBefore(int64_t step, int64_t place) const {
    if (step > 0) return outputAt(step - 1, place);
    return initial ? initial + order->rows[place] * hiddenSize : zeros;
  }
  float* gatesAt(int64_t step, int64_t place) const { return gates + (order->first[step] + place) * 4 * hiddenSize; }
};

// How one cell's work is shared: by rows of the batch, each part running its rows through the whole sequence on its
// own, or by hidden units, the parts meeting at every step.
struct GruSplit {
  int groups;  // 2 when the directions run side by side
  int parts;   // of a group
  bool byRows;

  // The places of a part are part, part + parts, ...: long and short rows alike.
  int64_t rowsOf(int part, int64_t running) const { return byRows ? (running - part + parts - 1) / parts : running; }
  int64_t place(int part, int64_t i) const { return byRows ? part + i * parts : i; }
};
// `work`: multiply-adds of one row and step; `units`: into how many parts the hidden units can be split
GruSplit chooseSplit(int threads, int64_t directions, const GruOrder& order, int64_t work, int64_t units);

}  // namespace cudnn_gru
