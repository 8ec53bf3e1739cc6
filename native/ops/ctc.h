#pragma once

#include <cstdint>
#include <vector>

#include "device/buffer.h"

// Connectionist temporal classification (A. Graves et al., 2006): the probability of a target is the sum over all ways
// to spread its labels, with blanks between and around them, over the steps of the input.
//
// The states of a row with n labels are z = blank, l1, blank, l2, ..., ln, blank: 2n + 1 of them. From step to step a
// state goes on, moves to the next one, or skips a blank between two different labels.
//   alpha[t, s] = y[t, z_s] (alpha[t-1, s] + alpha[t-1, s-1] + (may skip ? alpha[t-1, s-2] : 0)), y = softmax(logits)
//   loss_b = -log(alpha[T-1, 2n] + alpha[T-1, 2n-1])
// Mean: of loss_b / max(1, n_b) over the batch, as torch.nn.CTCLoss. A target that no path of the input's length gives
// has an infinite loss and gradients that are NaN; with zeroInfinity both are 0. The gradient is 0 behind the input's
// length.
namespace cudnn_gru::ops {

struct CtcShape {
  int64_t batch, time, classes;
  int64_t labels;  // of the longest target that `target` has room for
  bool timeMajor;  // logits are [time, batch, classes], not [batch, time, classes]
  int64_t blank;
  int64_t reduction;  // Reduction
  bool zeroInfinity;
  std::vector<int64_t> inputLengths;   // [batch], 0..time
  std::vector<int64_t> targetLengths;  // [batch], 0..labels
  double work() const { return 64.0 * double(batch) * double(time) * double(classes + 2 * labels); }
  template <class V>
  void shape(V& visit) {
    visit.size(batch, "batch");
    visit.size(time, "time");
    visit.size(classes, "classes");
    visit.size(labels, "labels");
    visit.flag(timeMajor, "timeMajor");
    visit.choice(blank, "blank", classes);
    visit.choice(reduction, "reduction", 3);
    visit.flag(zeroInfinity, "zeroInfinity");
    visit.hostInts(inputLengths, "inputLengths", batch);
    visit.hostInts(targetLengths, "targetLengths", batch);
    visit.require(int64_t(inputLengths.size()) == batch, "inputLengths");
    visit.require(int64_t(targetLengths.size()) == batch, "targetLengths");
    for (int64_t length : inputLengths) visit.require(length >= 0 && length <= time, "inputLengths");
    for (int64_t length : targetLengths) visit.require(length >= 0 && length <= labels, "targetLengths");
  }
};

struct Ctc : CtcShape {
  View logits;  // [batch, time, classes] or time-major
  View target;  // [batch, labels] int32; a label outside 0..classes-1, or a blank, is ERR_INDEX_OUT_OF_RANGE
  View loss;    // [1], or [batch] without reduction
  // For the gradient:
  View logProbabilities;  // [batch, time, classes]: log y
  View logAlpha;          // [batch, time, 2 labels + 1]: log alpha, less what makes the step's largest 0
  View rowLosses;         // [batch]: before reduction and zeroInfinity
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.in(logits, "logits", {batch, time, classes});
    visit.inInts(target, "target", {batch, labels});
    visit.out(loss, "loss", {reduction == 0 ? batch : 1});
    visit.out(logProbabilities, "logProbabilities", {batch, time, classes});
    visit.out(logAlpha, "logAlpha", {batch, time, 2 * labels + 1});
    visit.out(rowLosses, "rowLosses", {batch});
  }
};

struct CtcBackward : CtcShape {
  View target;            // [batch, labels] int32
  View logProbabilities;  // [batch, time, classes]
  View logAlpha;          // [batch, time, 2 labels + 1]
  View rowLosses;         // [batch]
  View lossGrad;          // [1], or [batch] without reduction
  View logitsGrad;        // as logits
  template <class V>
  void fields(V& visit) {
    shape(visit);
    visit.inInts(target, "target", {batch, labels});
    visit.in(logProbabilities, "logProbabilities", {batch, time, classes});
    visit.in(logAlpha, "logAlpha", {batch, time, 2 * labels + 1});
    visit.in(rowLosses, "rowLosses", {batch});
    visit.in(lossGrad, "lossGrad", {reduction == 0 ? batch : 1});
    visit.out(logitsGrad, "logitsGrad", {batch, time, classes});
  }
};

}  // namespace cudnn_gru::ops
