#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/rows_kernels.h"

// Connectionist temporal classification, see ops/ctc.h. Rows are independent, and each is computed by one thread. Sums
// of probabilities are kept as logarithms relative to the step's largest, so that a long input loses no digits.
namespace cudnn_gru {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double logAdd(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNever ? a : a + std::log1p(std::exp(b - a));
}

// One row's states and where its numbers lie.
struct Row {
  const int32_t* target;  // [labels]
  int64_t labels, states, steps, classes, blank;

  Row(const ops::CtcShape& shape, const View& target, int64_t b)
      : target(target.ints() + b * shape.labels),
        labels(shape.targetLengths[b]),
        states(2 * labels + 1),
        steps(shape.inputLengths[b]),
        classes(shape.classes),
        blank(shape.blank) {}

  int64_t symbol(int64_t state) const { return state % 2 == 0 ? blank : target[state / 2]; }
  // Whether a path may come here from two states before, or go from here two states on.
  bool skipsTo(int64_t state) const { return state >= 2 && state % 2 == 1 && symbol(state) != symbol(state - 2); }

  void check(int64_t b) const {
    for (int64_t i = 0; i < labels; ++i)
      if (uint32_t(target[i]) >= uint64_t(classes) || target[i] == blank)
        throw Error("ERR_INDEX_OUT_OF_RANGE", "ctc: label " + std::to_string(target[i]) + " of row " +
                                                  std::to_string(b) + " is not one of the " + std::to_string(classes) +
                                                  " classes (0.." + std::to_string(classes - 1) + ") other than the " +
                                                  "blank " + std::to_string(blank));
  }
};

// Subtracts the largest from all and returns it; kNever when no state can be reached.
double normalise(std::vector<double>& values) {
  const double largest = *std::max_element(values.begin(), values.end());
  if (largest != kNever)
    for (double& value : values) value -= largest;
  return largest;
}

// Fills `logAlpha` [time, stride]; returns the row's loss. NaN in the logits gives NaN.
double forwardRow(const Row& row, const float* logProbabilities, float* logAlpha, int64_t stride) {
  if (row.steps == 0) return row.labels == 0 ? 0 : -kNever;
  std::vector<double> alpha(row.states, kNever), next(row.states);
  double logTotal = 0;
  for (int64_t t = 0; t < row.steps; ++t) {
    const float* y = logProbabilities + t * row.classes;
    for (int64_t s = 0; s < row.states; ++s) {
      double sum = t == 0 ? (s < 2 ? 0 : kNever) : alpha[s];
      if (t > 0 && s > 0) sum = logAdd(sum, alpha[s - 1]);
      if (t > 0 && row.skipsTo(s)) sum = logAdd(sum, alpha[s - 2]);
      next[s] = sum + y[row.symbol(s)];
    }
    std::swap(alpha, next);
    const double largest = normalise(alpha);
    if (std::isnan(largest) || std::isnan(y[0])) return std::numeric_limits<double>::quiet_NaN();
    logTotal += largest;
    std::transform(alpha.begin(), alpha.end(), logAlpha + t * stride, [](double value) { return float(value); });
    if (largest == kNever) return -kNever;
  }
  const double last = row.states > 1 ? logAdd(alpha[row.states - 1], alpha[row.states - 2]) : alpha[0];
  return -(logTotal + last);
}

// gradient[t, c] = scale (y[t, c] - the probability of being at c in step t, given the target)
void backwardRow(const Row& row, const float* logProbabilities, const float* logAlpha, int64_t stride, double scale,
                 float* gradient, int64_t step) {
  std::vector<double> beta(row.states, kNever), next(row.states), occupied(row.classes);
  for (int64_t t = row.steps - 1; t >= 0; --t) {
    const float* y = logProbabilities + t * row.classes;
    if (t == row.steps - 1) {
      for (int64_t s = std::max<int64_t>(0, row.states - 2); s < row.states; ++s) beta[s] = 0;
    } else {
      const float* following = y + row.classes;
      for (int64_t s = 0; s < row.states; ++s) {
        double sum = beta[s] + following[row.symbol(s)];
        if (s + 1 < row.states) sum = logAdd(sum, beta[s + 1] + following[row.symbol(s + 1)]);
        if (s + 2 < row.states && row.skipsTo(s + 2)) sum = logAdd(sum, beta[s + 2] + following[row.symbol(s + 2)]);
        next[s] = sum;
      }
      std::swap(beta, next);
      normalise(beta);
    }
    double total = kNever;
    for (int64_t s = 0; s < row.states; ++s) total = logAdd(total, logAlpha[t * stride + s] + beta[s]);
    std::fill(occupied.begin(), occupied.end(), 0.0);
    for (int64_t s = 0; s < row.states; ++s)
      occupied[row.symbol(s)] += std::exp(logAlpha[t * stride + s] + beta[s] - total);
    for (int64_t c = 0; c < row.classes; ++c)
      gradient[t * step + c] = float(scale * (std::exp(double(y[c])) - occupied[c]));
  }
}

// What a row's loss is multiplied by in the mean.
double meanFactor(const ops::CtcShape& shape, int64_t b) {
  return 1.0 / (double(std::max<int64_t>(1, shape.targetLengths[b])) * double(shape.batch));
}

struct Layout {
  int64_t start, step;  // of a row of the logits, in elements
  Layout(const ops::CtcShape& shape, int64_t b)
      : start(b * shape.classes * (shape.timeMajor ? 1 : shape.time)),
        step(shape.classes * (shape.timeMajor ? shape.batch : 1)) {}
};

int64_t grainOf(const ops::CtcShape& shape) { return rowGrain(shape.time * (shape.classes + 20 * shape.labels)); }

}  // namespace

void CpuDevice::ctc(const ops::Ctc& operation) {
  const int64_t states = 2 * operation.labels + 1;
  for (int64_t b = 0; b < operation.batch; ++b) Row(operation, operation.target, b).check(b);
  float* rowLosses = operation.rowLosses.floats();
  const auto logSoftmax = rowsKernels().logSoftmax;
  parallelRanges(team_, operation.batch, grainOf(operation), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const Layout layout(operation, b);
      const float* logits = operation.logits.floats() + layout.start;
      float* logProbabilities = operation.logProbabilities.floats() + b * operation.time * operation.classes;
      for (int64_t t = 0; t < operation.time; ++t)
        logSoftmax(logits + t * layout.step, operation.classes, logProbabilities + t * operation.classes);
      float* logAlpha = operation.logAlpha.floats() + b * operation.time * states;
      std::fill_n(logAlpha, operation.time * states, 0.0f);
      rowLosses[b] = float(forwardRow(Row(operation, operation.target, b), logProbabilities, logAlpha, states));
    }
  });
  float* loss = operation.loss.floats();
  const ops::Reduction reduction = ops::Reduction(operation.reduction);
  double total = 0;
  for (int64_t b = 0; b < operation.batch; ++b) {
    const double value = operation.zeroInfinity && std::isinf(rowLosses[b]) ? 0.0 : double(rowLosses[b]);
    if (reduction == ops::Reduction::kNone) loss[b] = float(value);
    total += reduction == ops::Reduction::kMean ? value * meanFactor(operation, b) : value;
  }
  if (reduction != ops::Reduction::kNone) *loss = float(total);
}

void CpuDevice::ctcBackward(const ops::CtcBackward& operation) {
  const int64_t states = 2 * operation.labels + 1;
  const ops::Reduction reduction = ops::Reduction(operation.reduction);
  const float* lossGrad = operation.lossGrad.floats();
  parallelRanges(team_, operation.batch, grainOf(operation), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const Layout layout(operation, b);
      const Row row(operation, operation.target, b);
      float* gradient = operation.logitsGrad.floats() + layout.start;
      const double scale = reduction == ops::Reduction::kNone   ? double(lossGrad[b])
                           : reduction == ops::Reduction::kMean ? double(*lossGrad) * meanFactor(operation, b)
                                                                : double(*lossGrad);
      const float rowLoss = operation.rowLosses.floats()[b];
      const bool finite = std::isfinite(rowLoss);
      const float otherwise = operation.zeroInfinity && std::isinf(rowLoss) ? 0.0f : std::nanf("");
      for (int64_t t = 0; t < operation.time; ++t)
        std::fill_n(gradient + t * layout.step, operation.classes, t < row.steps && !finite ? otherwise : 0.0f);
      if (finite)
        backwardRow(row, operation.logProbabilities.floats() + b * operation.time * operation.classes,
                    operation.logAlpha.floats() + b * operation.time * states, states, scale, gradient, layout.step);
    }
  });
}

}  // namespace cudnn_gru
