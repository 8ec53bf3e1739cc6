#pragma once

#include <cstdint>
#include <vector>

#include "device/buffer.h"
#include "ops/precision.h"

// The whole stack of layers and directions over the whole sequence. Gate order r, z, n. For each step, with x the
// layer's input:
//   r  = σ(W_r x + b_ir + U_r h + b_hr)
//   z  = σ(W_z x + b_iz + U_z h + b_hz)
//   h~ = tanh(W_n x + b_in + r * (U_n h + b_hn))     reset after  (cuDNN, PyTorch, Keras)
//   h~ = tanh(W_n x + b_in + U_n (r * h) + b_hn)     reset before (Cho et al. 2014, ONNX)
//   h' = z * h + (1 - z) * h~
// Row b is read for its first lengths[b] steps (0 allowed): its outputs after them are 0 and their incoming gradients
// are ignored; the reversed direction starts at step lengths[b] - 1; the final state is that of the last valid step, or
// the initial state for a length of 0. In training, dropout is applied to each layer's output but the last: element i
// (counted in [time, batch, directions * hiddenSize]) of layer l draws word i of the Philox stream that starts at
// offset + l * ceil(time * batch * directions
// * hiddenSize / 4), as in ops::Dropout.
namespace cudnn_gru::ops {

struct GruSizes {
  int64_t time, batch, inputSize, hiddenSize, layers, directions;
  bool timeMajor;    // x and output are [time, batch, features], else [batch, time, features]
  bool resetBefore;  // which cell
  bool hasBias;
  std::vector<int64_t> lengths;  // [batch] on the host, or empty: all of full length

  int64_t layerInputSize(int64_t layer) const { return layer == 0 ? inputSize : directions * hiddenSize; }
  // Multiply-adds of a forward pass; a gate's σ or tanh takes as long as some 16.
  double forwardWork() const {
    double columns = 16.0 * double(layers);
    for (int64_t layer = 0; layer < layers; ++layer) columns += double(layerInputSize(layer) + hiddenSize);
    return 3.0 * double(time) * double(batch) * double(directions) * double(hiddenSize) * columns;
  }
  int64_t lengthOf(int64_t row) const { return lengths.empty() ? time : lengths[row]; }

  template <class V>
  void sizes(V& visit) {
    visit.size(time, "time");
    visit.size(batch, "batch");
    visit.size(inputSize, "inputSize");
    visit.size(hiddenSize, "hiddenSize");
    visit.size(layers, "layers");
    visit.size(directions, "directions");
    visit.require(directions <= 2, "directions <= 2");
    visit.flag(timeMajor, "timeMajor");
    visit.flag(resetBefore, "resetBefore");
    visit.flag(hasBias, "hasBias");
  }
  template <class V>
  void rowLengths(V& visit) {
    visit.hostInts(lengths, "lengths", batch);
    for (int64_t length : lengths) visit.require(length >= 0 && length <= time, "0 <= lengths <= time");
  }
};

struct GruShape : GruSizes {
  double dropout;  // between layers; 0 when not training
  uint64_t seed, offset;
  Precision precision;
  std::vector<View> weights;  // layer by layer, direction by direction: weight_ih [3H, I or D*H], weight_hh [3H, H],
                              // and with hasBias bias_ih [3H], bias_hh [3H]

  int64_t weightsPerCell() const { return hasBias ? 4 : 2; }
  const View& weight(int64_t layer, int64_t direction, int64_t which) const {
    return weights[(layer * directions + direction) * weightsPerCell() + which];
  }

  template <class V>
  void shape(V& visit) {
    sizes(visit);
    visit.number(dropout, "dropout");
    visit.require(dropout >= 0 && dropout < 1, "0 <= dropout < 1");
    visit.seed(seed, "seed");
    visit.seed(offset, "offset");
    visit.choice(precision, "precision", kPrecisions);
    rowLengths(visit);
    visit.inList(weights, "weights");
    visit.require(int64_t(weights.size()) == layers * directions * weightsPerCell(), "number of weights");
    for (int64_t l = 0; l < layers; ++l)
      for (int64_t d = 0; d < directions; ++d) {
        visit.expect(weight(l, d, 0), "weight_ih", {3, hiddenSize, layerInputSize(l)});
        visit.expect(weight(l, d, 1), "weight_hh", {3, hiddenSize, hiddenSize});
        if (hasBias) visit.expect(weight(l, d, 2), "bias_ih", {3, hiddenSize});
        if (hasBias) visit.expect(weight(l, d, 3), "bias_hh", {3, hiddenSize});
      }
  }
};

// How a device may compute; one that knows a single way ignores it. A backward operation takes its forward operation's.
enum class GruAlgorithm : int64_t {
  kAuto,           // what is on record for the shape; if nothing is, measured in training and kStandard in inference
  kTuned,          // what is on record for the shape; if nothing is, measured
  kStandard,       // one launch or more for each step
  kPersistStatic,  // recurrent weights stay in registers and shared memory for the whole sequence
  kPersistStaticSmallH  // likewise, for small hidden sizes
};
constexpr int64_t kGruAlgorithms = 5;

struct Gru : GruShape {
  GruAlgorithm algorithm;
  View x;              // [time, batch, inputSize] or [batch, time, inputSize]
  View initialHidden;  // [layers * directions, batch, hiddenSize], optional: 0
  View output;         // [time, batch, directions * hiddenSize] or batch first
  View hidden;         // [layers * directions, batch, hiddenSize]: the state after the last valid step
  View saved;          // for the gradient; absent in inference. Its contents are the device's own affair
  double work() const { return forwardWork(); }
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.choice(algorithm, "algorithm", kGruAlgorithms);
    visit.in(x, "x", {time, batch, inputSize});
    visit.optionalIn(initialHidden, "initialHidden", {layers, directions, batch, hiddenSize});
    visit.out(output, "output", {time, batch, directions, hiddenSize});
    visit.out(hidden, "hidden", {layers, directions, batch, hiddenSize});
    visit.optionalSaved(saved, "saved");
  }
};

struct GruBackward : GruShape {
  View x;
  View initialHidden;  // optional
  View output;
  View saved;              // from the forward call; may be overwritten, so a second backward needs a second forward
  View outputGrad;         // as output, optional: 0
  View hiddenGrad;         // as hidden, optional: 0
  View xGrad;              // as x, optional: not wanted
  View initialHiddenGrad;  // optional: not wanted
  std::vector<View> weightGrads;  // as weights, or empty: not wanted
  double work() const { return 2 * forwardWork(); }
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.in(x, "x", {time, batch, inputSize});
    visit.optionalIn(initialHidden, "initialHidden", {layers, directions, batch, hiddenSize});
    visit.in(output, "output", {time, batch, directions, hiddenSize});
    visit.inOutSaved(saved, "saved");
    visit.optionalIn(outputGrad, "outputGrad", {time, batch, directions, hiddenSize});
    visit.optionalIn(hiddenGrad, "hiddenGrad", {layers, directions, batch, hiddenSize});
    visit.optionalOut(xGrad, "xGrad", {time, batch, inputSize});
    visit.optionalOut(initialHiddenGrad, "initialHiddenGrad", {layers, directions, batch, hiddenSize});
    visit.optionalOutListLike(weightGrads, "weightGrads", weights);
  }
};

}  // namespace cudnn_gru::ops
