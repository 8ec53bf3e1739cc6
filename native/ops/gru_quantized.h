#pragma once

#include <vector>

#include "ops/gru.h"

// The stack of ops::Gru with the reset-after cell, forward only, in low precision. Both sides of every product with a
// weight matrix are rounded, to int8 or bfloat16; sums of bfloat16 products, gates and states are float32.
//
// int8: a weight is q · scale of its row, q from -127 to 127. A state element is round(127 h) / 127, a step's input x
// is
//   round(x / s) · s with s = max |x| / 127 of that row and step, both to nearest, ties to even. Sums are exact
//   integers. A row of x with NaN or infinity gives NaN. Initial states must lie in [-1, 1]; then all others do.
// bfloat16: weights, states and inputs are rounded to nearest, ties to even.
namespace cudnn_gru::ops {

struct GruQuantized : GruSizes {
  bool int8;                 // else bfloat16
  std::vector<View> words;   // layer by layer, direction by direction weight_ih and weight_hh, [3H, wordsOf(columns)]:
                             // a row's values side by side, the first in the lowest bits of a word, the rest 0
  std::vector<View> scales;  // int8: one [3H] for each of `words`
  std::vector<View> biases;  // with hasBias bias_ih [3H] and bias_hh [3H] for each layer and direction
  View x;                    // [time, batch, inputSize] or [batch, time, inputSize]
  View initialHidden;        // [layers * directions, batch, hiddenSize], optional: 0
  View output;               // [time, batch, directions * hiddenSize] or batch first
  View hidden;               // [layers * directions, batch, hiddenSize]

  double work() const { return forwardWork(); }
  int64_t valuesPerWord() const { return int8 ? 4 : 2; }
  int64_t wordsOf(int64_t columns) const { return (columns + valuesPerWord() - 1) / valuesPerWord(); }

  template <class V>
  void fields(V& visit) {
    sizes(visit);
    rowLengths(visit);
    visit.flag(int8, "int8");
    visit.inIntsList(words, "words");
    visit.inList(scales, "scales");
    visit.inList(biases, "biases");
    const int64_t matrices = 2 * layers * directions;
    visit.require(!resetBefore, "reset after");
    visit.require(int64_t(words.size()) == matrices, "number of words");
    visit.require(int64_t(scales.size()) == (int8 ? matrices : 0), "number of scales");
    visit.require(int64_t(biases.size()) == (hasBias ? matrices : 0), "number of biases");
    for (int64_t i = 0; i < matrices; ++i) {
      const int64_t columns = i % 2 == 0 ? layerInputSize(i / 2 / directions) : hiddenSize;
      visit.expect(words[i], "words", {3, hiddenSize, wordsOf(columns)});
      if (int8) visit.expect(scales[i], "scales", {3, hiddenSize});
      if (hasBias) visit.expect(biases[i], "biases", {3, hiddenSize});
    }
    visit.in(x, "x", {time, batch, inputSize});
    visit.optionalIn(initialHidden, "initialHidden", {layers, directions, batch, hiddenSize});
    visit.out(output, "output", {time, batch, directions, hiddenSize});
    visit.out(hidden, "hidden", {layers, directions, batch, hiddenSize});
  }
};

}  // namespace cudnn_gru::ops
