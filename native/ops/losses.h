#pragma once

#include <cstdint>

#include "device/buffer.h"

namespace cudnn_gru::ops {

enum class Reduction : int64_t { kNone = 0, kSum = 1, kMean = 2 };

// Elementwise regression losses of d = x - target:
//   mse d², mae |d|, huber d²/2 for |d| <= delta, else delta (|d| - delta/2)
// reduced to one number, or left as they are.
struct RegressionLoss {
  int64_t count;
  int64_t reduction;  // Reduction
  double delta;       // huber only
  View x;             // [count]
  View target;        // [count]
  View loss;          // [1], or [count] without reduction
  template <class V>
  void fields(V& visit) {
    visit.size(count, "count");
    visit.choice(reduction, "reduction", 3);
    visit.number(delta, "delta");
    visit.in(x, "x", {count});
    visit.in(target, "target", {count});
    visit.out(loss, "loss", {reduction == 0 ? count : 1});
  }
};
struct Mse : RegressionLoss {};
struct Mae : RegressionLoss {};
struct Huber : RegressionLoss {};

// The gradient of x; that of target is its negative.
struct RegressionLossBackward {
  int64_t count;
  int64_t reduction;
  double delta;
  View x;         // [count]
  View target;    // [count]
  View lossGrad;  // [1], or [count] without reduction
  View xGrad;     // [count]
  template <class V>
  void fields(V& visit) {
    visit.size(count, "count");
    visit.choice(reduction, "reduction", 3);
    visit.number(delta, "delta");
    visit.in(x, "x", {count});
    visit.in(target, "target", {count});
    visit.in(lossGrad, "lossGrad", {reduction == 0 ? count : 1});
    visit.out(xGrad, "xGrad", {count});
  }
};
struct MseBackward : RegressionLossBackward {};
struct MaeBackward : RegressionLossBackward {};
struct HuberBackward : RegressionLossBackward {};

// Softmax cross-entropy with label smoothing and class weights, as torch.nn.CrossEntropyLoss:
//   l_i = -(1 - s) w_{t_i} logp_{i, t_i} - s / C sum_c w_c logp_{i, c}, 0 where t_i = ignoreIndex
//   mean: sum l_i / sum w_{t_i} over the rows not ignored. A target outside 0..classes-1 is ERR_INDEX_OUT_OF_RANGE.
struct CrossEntropy {
  int64_t rows, classes;
  int64_t reduction;
  double ignoreIndex, labelSmoothing;
  View logits;        // [rows, classes]
  View target;        // [rows] int32
  View classWeights;  // [classes], optional
  View loss;          // [1], or [rows] without reduction
  View logSumExp;     // [rows], for the gradient
  View totalWeight;   // [1], for the gradient: what the mean divides by
  template <class V>
  void fields(V& visit) {
    visit.size(rows, "rows");
    visit.size(classes, "classes");
    visit.choice(reduction, "reduction", 3);
    visit.number(ignoreIndex, "ignoreIndex");
    visit.number(labelSmoothing, "labelSmoothing");
    visit.in(logits, "logits", {rows, classes});
    visit.inInts(target, "target", {rows});
    visit.optionalIn(classWeights, "classWeights", {classes});
    visit.out(loss, "loss", {reduction == 0 ? rows : 1});
    visit.out(logSumExp, "logSumExp", {rows});
    visit.out(totalWeight, "totalWeight", {1});
  }
};
struct CrossEntropyBackward {
  int64_t rows, classes;
  int64_t reduction;
  double ignoreIndex, labelSmoothing;
  View logits;        // [rows, classes]
  View target;        // [rows] int32
  View classWeights;  // [classes], optional
  View logSumExp;     // [rows]
  View totalWeight;   // [1]
  View lossGrad;      // [1], or [rows] without reduction
  View logitsGrad;    // [rows, classes]
  template <class V>
  void fields(V& visit) {
    visit.size(rows, "rows");
    visit.size(classes, "classes");
    visit.choice(reduction, "reduction", 3);
    visit.number(ignoreIndex, "ignoreIndex");
    visit.number(labelSmoothing, "labelSmoothing");
    visit.in(logits, "logits", {rows, classes});
    visit.inInts(target, "target", {rows});
    visit.optionalIn(classWeights, "classWeights", {classes});
    visit.in(logSumExp, "logSumExp", {rows});
    visit.in(totalWeight, "totalWeight", {1});
    visit.in(lossGrad, "lossGrad", {reduction == 0 ? rows : 1});
    visit.out(logitsGrad, "logitsGrad", {rows, classes});
  }
};

// l = -w (p y log σ(x) + (1 - y) log(1 - σ(x))), w `weight` (default 1) and p `positiveWeight` (default 1) repeated
// over rows, as torch.nn.BCEWithLogitsLoss.
struct BinaryCrossEntropy {
  int64_t rows, columns;
  int64_t reduction;
  View logits;          // [rows, columns]
  View target;          // [rows, columns], 0..1
  View weight;          // [columns], optional
  View positiveWeight;  // [columns], optional
  View loss;            // [1], or [rows, columns] without reduction
  template <class V>
  void fields(V& visit) {
    visit.size(rows, "rows");
    visit.size(columns, "columns");
    visit.choice(reduction, "reduction", 3);
    visit.in(logits, "logits", {rows, columns});
    visit.in(target, "target", {rows, columns});
    visit.optionalIn(weight, "weight", {columns});
    visit.optionalIn(positiveWeight, "positiveWeight", {columns});
    if (reduction == 0)
      visit.out(loss, "loss", {rows, columns});
    else
      visit.out(loss, "loss", {1});
  }
};
struct BinaryCrossEntropyBackward {
  int64_t rows, columns;
  int64_t reduction;
  View logits;          // [rows, columns]
  View target;          // [rows, columns]
  View weight;          // [columns], optional
  View positiveWeight;  // [columns], optional
  View lossGrad;        // [1], or [rows, columns] without reduction
  View logitsGrad;      // [rows, columns]
  template <class V>
  void fields(V& visit) {
    visit.size(rows, "rows");
    visit.size(columns, "columns");
    visit.choice(reduction, "reduction", 3);
    visit.in(logits, "logits", {rows, columns});
    visit.in(target, "target", {rows, columns});
    visit.optionalIn(weight, "weight", {columns});
    visit.optionalIn(positiveWeight, "positiveWeight", {columns});
    if (reduction == 0)
      visit.in(lossGrad, "lossGrad", {rows, columns});
    else
      visit.in(lossGrad, "lossGrad", {1});
    visit.out(logitsGrad, "logitsGrad", {rows, columns});
  }
};

}  // namespace cudnn_gru::ops
