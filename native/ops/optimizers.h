#pragma once

#include <cstdint>
#include <vector>

#include "device/buffer.h"

// One optimizer step is gradientNorm over every gradient, then one update for each parameter group. Nothing is read by
// the host: whether the step is skipped, and by how much the gradients are scaled, stays on the device in `norm` and
// `counts`.
namespace cudnn_gru::ops {

// norm[0] = global 2-norm of all gradients
// norm[1] = what an update multiplies gradients by: min(1, clipNorm / (norm + 1e-6)) as torch.nn.utils.clip_grad_norm_
//           (1 when clipNorm <= 0)
// counts[0] = steps taken, counts[1] = steps skipped, counts[2] = index of the first gradient that holds a non-finite
// number, or -1, counts[3] = 1 if this step is to be skipped, else 0. A step is skipped when any gradient holds a NaN
// or an infinity. Finite gradients whose norm overflows float32 must not be skipped: the sum of squares is carried in
// float64.
struct GradientNorm {
  double clipNorm;
  std::vector<View> gradients;
  View norm;    // [2]
  View counts;  // [4] int32, kept from step to step
  template <class V>
  void fields(V& visit) {
    visit.number(clipNorm, "clipNorm");
    visit.inList(gradients, "gradients");
    visit.inOut(norm, "norm", {2});
    visit.inOutInts(counts, "counts", {4});
  }
};

// In place: g = clamp(g * norm[1], -clipValue, clipValue); no clamp when clipValue <= 0, no scale when norm is absent.
struct ClipGradients {
  double clipValue;
  View norm;  // [2], optional
  std::vector<View> gradients;
  template <class V>
  void fields(V& visit) {
    visit.number(clipValue, "clipValue");
    visit.optionalIn(norm, "norm", {2});
    visit.inOutList(gradients, "gradients");
  }
};

// What every update shares. g = clamp(gradient * norm[1], ±clipValue) (no clamp when clipValue <= 0); nothing is
// written when counts[3] is 1. t = counts[0] is the number of this step, from 1.
struct Update {
  double learningRate, weightDecay, clipValue;
  View norm;    // [2]
  View counts;  // [4] int32
  std::vector<View> parameters, gradients;
  template <class V>
  void common(V& visit) {
    visit.number(learningRate, "learningRate");
    visit.number(weightDecay, "weightDecay");
    visit.number(clipValue, "clipValue");
    visit.in(norm, "norm", {2});
    visit.inInts(counts, "counts", {4});
    visit.inOutList(parameters, "parameters");
    visit.inListLike(gradients, "gradients", parameters);
  }
};

// torch.optim.SGD: g += weightDecay p; v = momentum v + (1 - dampening) g (v = g at step 1);
// p -= learningRate (nesterov ? g + momentum v : v). Without momentum p -= learningRate g and `velocities` is empty.
struct Sgd : Update {
  double momentum, dampening;
  bool nesterov;
  std::vector<View> velocities;
  template <class V>
  void fields(V& visit) {
    common(visit);
    visit.number(momentum, "momentum");
    visit.number(dampening, "dampening");
    visit.flag(nesterov, "nesterov");
    visit.optionalInOutListLike(velocities, "velocities", parameters);
  }
};

// torch.optim.RMSprop: g += weightDecay p; s = alpha s + (1 - alpha) g²; centred: m = alpha m + (1 - alpha) g, d =
// sqrt(s - m²) + epsilon, else d = sqrt(s) + epsilon; momentum > 0: v = momentum v + g / d, p -= learningRate v; else p
// -= learningRate g / d
struct Rmsprop : Update {
  double alpha, epsilon, momentum;
  std::vector<View> squares;     // s
  std::vector<View> averages;    // m, empty unless centred
  std::vector<View> velocities;  // v, empty without momentum
  template <class V>
  void fields(V& visit) {
    common(visit);
    visit.number(alpha, "alpha");
    visit.number(epsilon, "epsilon");
    visit.number(momentum, "momentum");
    visit.inOutListLike(squares, "squares", parameters);
    visit.optionalInOutListLike(averages, "averages", parameters);
    visit.optionalInOutListLike(velocities, "velocities", parameters);
  }
};

// torch.optim.Adagrad: g += weightDecay p; s += g²; p -= learningRate / (1 + (t - 1) learningRateDecay) g / (sqrt(s) +
// epsilon)
struct Adagrad : Update {
  double learningRateDecay, epsilon;
  std::vector<View> squares;
  template <class V>
  void fields(V& visit) {
    common(visit);
    visit.number(learningRateDecay, "learningRateDecay");
    visit.number(epsilon, "epsilon");
    visit.inOutListLike(squares, "squares", parameters);
  }
};

// Adam (Kingma & Ba 2015), torch.optim.Adam and AdamW: decoupled: p -= learningRate weightDecay p, else g +=
// weightDecay p; m = beta1 m + (1 - beta1) g; s = beta2 s + (1 - beta2) g²; with maxima (AMSGrad): x = max(x, s), d
// from x, else from s; p -= learningRate / (1 - beta1^t) m / (sqrt(d) / sqrt(1 - beta2^t) + epsilon)
struct Adam : Update {
  double beta1, beta2, epsilon;
  bool decoupled;
  std::vector<View> averages;  // m
  std::vector<View> squares;   // s
  std::vector<View> maxima;    // x, empty unless AMSGrad
  template <class V>
  void fields(V& visit) {
    common(visit);
    visit.number(beta1, "beta1");
    visit.number(beta2, "beta2");
    visit.number(epsilon, "epsilon");
    visit.flag(decoupled, "decoupled");
    visit.inOutListLike(averages, "averages", parameters);
    visit.inOutListLike(squares, "squares", parameters);
    visit.optionalInOutListLike(maxima, "maxima", parameters);
  }
};

}  // namespace cudnn_gru::ops
