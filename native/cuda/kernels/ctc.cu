#include "cuda/kernels/ctc.h"
#include "cuda/kernels/index_check.cuh"
#include "cuda/kernels/team.cuh"

namespace cudnn_gru::kernels {
namespace {

// Sums of probabilities are kept as logarithms relative to the step's largest, so that a long input loses no digits.

__device__ double logAdd(double a, double b) {
  const double most = a < b ? b : a, least = a < b ? a : b;
  return least == -INFINITY ? most : most + ::log1p(::exp(least - most));
}

// One row of the batch: its states are blank, label, blank, ..., blank.
struct Row {
  const int32_t* target;
  int64_t labels, states, steps, blank;

  __device__ Row(const CtcRows& rows, int64_t b)
      : target(rows.target + b * rows.labels),
        labels(rows.targetLengths[b]),
        states(2 * labels + 1),
        steps(rows.inputLengths[b]),
        blank(rows.blank) {}

  __device__ int64_t symbol(int64_t state) const { return state % 2 == 0 ? blank : target[state / 2]; }
  // Whether a path may come here from two states before.
  __device__ bool skipsTo(int64_t state) const {
    return state >= 2 && state % 2 == 1 && symbol(state) != symbol(state - 2);
  }
};

// The states of two steps, by turns.
__device__ double* statesOf(double* scratch, const CtcRows& rows, int64_t b, int64_t turn) {
  return scratch + (2 * b + turn % 2) * (2 * rows.labels + 1);
}

using Block = Team<kThreads>;

// Whether every label of the row is one; the same for the whole block.
__device__ bool checkLabels(const Block& block, const CtcRows& rows, const Row& row, int64_t b, IndexFault* fault) {
  double bad = 0;
  for (int64_t i = block.thread; i < row.labels; i += kThreads) {
    const int32_t label = row.target[i];
    if (label >= 0 && label < rows.classes && label != row.blank) continue;
    reportIndex(label, rows.classes, b, IndexFault::kCtcLabel, fault);
    bad = 1;
  }
  return block.sum(bad) == 0;
}

// Kernels

// A block for each row: the loss, and alpha of every step.
__device__ double lossOfRow(const Block& block, const CtcRows& rows, const Row& row, int64_t b, float* logAlpha,
                            double* scratch) {
  if (row.steps == 0) return row.labels == 0 ? 0 : INFINITY;
  double logTotal = 0;
  for (int64_t t = 0; t < row.steps; ++t) {
    const float* y = rows.logProbabilities + (b * rows.time + t) * rows.classes;
    const double* before = statesOf(scratch, rows, b, t + 1);
    double* now = statesOf(scratch, rows, b, t);
    double most = -INFINITY;
    for (int64_t s = block.thread; s < row.states; s += kThreads) {
      double sum = t == 0 ? (s < 2 ? 0 : -INFINITY) : before[s];
      if (t > 0 && s > 0) sum = logAdd(sum, before[s - 1]);
      if (t > 0 && row.skipsTo(s)) sum = logAdd(sum, before[s - 2]);
      now[s] = sum + double(y[row.symbol(s)]);
      most = now[s] > most ? now[s] : most;
    }
    most = block.largest(most);
    if (y[0] != y[0]) return NAN;
    logTotal += most;
    if (most == -INFINITY) return INFINITY;
    float* saved = logAlpha + (b * rows.time + t) * (2 * rows.labels + 1);
    for (int64_t s = block.thread; s < row.states; s += kThreads) {
      now[s] -= most;
      saved[s] = float(now[s]);
    }
    block.sync();
  }
  const double* last = statesOf(scratch, rows, b, row.steps - 1);
  return -(logTotal + (row.states > 1 ? logAdd(last[row.states - 1], last[row.states - 2]) : last[0]));
}

__global__ void ctcRows(CtcRows rows, float* logAlpha, float* rowLosses, double* scratch, IndexFault* fault) {
  const Block block;
  for (int64_t b = block.index(); b < rows.batch; b += block.count()) {
    const Row row(rows, b);
    const bool known = checkLabels(block, rows, row, b, fault);
    const double loss = known ? lossOfRow(block, rows, row, b, logAlpha, scratch) : NAN;
    if (block.thread == 0) rowLosses[b] = float(loss);
  }
}

__device__ double meanFactor(const CtcRows& rows, int64_t b) {
  const int64_t labels = rows.targetLengths[b] > 1 ? rows.targetLengths[b] : 1;
  return 1.0 / (double(labels) * double(rows.batch));
}

// One block.
__global__ void finishCtc(CtcRows rows, CtcReduction reduction, const float* rowLosses, float* loss) {
  const Block block;
  double total = 0;
  for (int64_t b = block.thread; b < rows.batch; b += kThreads) {
    const double value = rows.zeroInfinity && rowLosses[b] == INFINITY ? 0.0 : double(rowLosses[b]);
    if (reduction == CtcReduction::kNone) loss[b] = float(value);
    total += reduction == CtcReduction::kMean ? value * meanFactor(rows, b) : value;
  }
  total = block.sum(total);
  if (reduction != CtcReduction::kNone && block.thread == 0) *loss = float(total);
}

// A block for each row: occupied [batch, time, 2 labels + 1], the probability of each state at each step given the
// target.
__global__ void occupyStates(CtcRows rows, const float* logAlpha, const float* rowLosses, double* occupied,
                             double* scratch) {
  const Block block;
  const int64_t stride = 2 * rows.labels + 1;
  for (int64_t b = block.index(); b < rows.batch; b += block.count()) {
    const Row row(rows, b);
    if (!(fabsf(rowLosses[b]) < INFINITY)) continue;
    for (int64_t t = row.steps - 1; t >= 0; --t) {
      const float* following = rows.logProbabilities + (b * rows.time + t + 1) * rows.classes;
      const double* after = statesOf(scratch, rows, b, t + 1);
      double* now = statesOf(scratch, rows, b, t);
      double most = -INFINITY;
      for (int64_t s = block.thread; s < row.states; s += kThreads) {
        double sum = s >= row.states - 2 ? 0 : -INFINITY;
        if (t < row.steps - 1) {
          sum = after[s] + double(following[row.symbol(s)]);
          if (s + 1 < row.states) sum = logAdd(sum, after[s + 1] + double(following[row.symbol(s + 1)]));
          if (s + 2 < row.states && row.skipsTo(s + 2))
            sum = logAdd(sum, after[s + 2] + double(following[row.symbol(s + 2)]));
        }
        now[s] = sum;
        most = sum > most ? sum : most;
      }
      most = block.largest(most);

      const float* alpha = logAlpha + (b * rows.time + t) * stride;
      double* joint = occupied + (b * rows.time + t) * stride;
      double mostJoint = -INFINITY;
      for (int64_t s = block.thread; s < row.states; s += kThreads) {
        now[s] -= most;
        joint[s] = double(alpha[s]) + now[s];
        mostJoint = joint[s] > mostJoint ? joint[s] : mostJoint;
      }
      mostJoint = block.largest(mostJoint);
      double total = 0;
      for (int64_t s = block.thread; s < row.states; s += kThreads) {
        joint[s] = ::exp(joint[s] - mostJoint);
        total += joint[s];
      }
      total = block.sum(total);
      for (int64_t s = block.thread; s < row.states; s += kThreads) joint[s] /= total;
      block.sync();
    }
  }
}

// A warp for each step of each row: scale (y - what its states are occupied by), class by class. First as if no state
// were occupied; then the blank and each label by the thread that is its first occurrence.
__global__ void ctcGradients(CtcRows rows, CtcReduction reduction, const float* rowLosses, const double* occupied,
                             const float* lossGrad, float* logitsGrad, bool timeMajor) {
  const Team<kWarp> team;
  for (int64_t at = team.index(); at < rows.batch * rows.time; at += team.count()) {
    const int64_t b = at / rows.time, t = at - b * rows.time;
    const Row row(rows, b);
    float* grad = logitsGrad + (timeMajor ? t * rows.batch + b : at) * rows.classes;
    const bool finite = fabsf(rowLosses[b]) < INFINITY;
    if (t >= row.steps || !finite) {
      const float value = t >= row.steps || (rows.zeroInfinity && rowLosses[b] == INFINITY) ? 0.0f : NAN;
      for (int64_t c = team.thread; c < rows.classes; c += kWarp) grad[c] = value;
      continue;
    }
    const float* y = rows.logProbabilities + at * rows.classes;
    const double* states = occupied + at * (2 * rows.labels + 1);
    const double scale = double(lossGrad[reduction == CtcReduction::kNone ? b : 0]) *
                         (reduction == CtcReduction::kMean ? meanFactor(rows, b) : 1.0);
    for (int64_t c = team.thread; c < rows.classes; c += kWarp) grad[c] = float(scale * ::exp(double(y[c])));
    team.sync();
    for (int64_t i = team.thread; i <= row.labels; i += kWarp) {
      const int64_t symbol = i == row.labels ? row.blank : row.target[i];
      bool first = true;
      double sum = 0;
      for (int64_t s = i == row.labels ? 0 : 1; s < row.states && first; s += 2) {
        if (row.symbol(s) != symbol) continue;
        first = i == row.labels || s >= 2 * i + 1;
        sum += states[s];
      }
      if (first) grad[symbol] = float(scale * (::exp(double(y[symbol])) - sum));
    }
  }
}

}  // namespace

// Launchers

cudaError_t ctc(const CtcRows& rows, CtcReduction reduction, float* logAlpha, float* rowLosses, float* loss,
                double* scratch, IndexFault* fault, cudaStream_t stream) {
  const cudaError_t status = launch(ctcRows, blocksFor(rows.batch * kThreads), kThreads, kTeamShared, stream, rows,
                                    logAlpha, rowLosses, scratch, fault);
  if (status != cudaSuccess) return status;
  return launch(finishCtc, 1, kThreads, kTeamShared, stream, rows, reduction, rowLosses, loss);
}

cudaError_t ctcBackward(const CtcRows& rows, CtcReduction reduction, const float* logAlpha, const float* rowLosses,
                        const float* lossGrad, float* logitsGrad, bool timeMajor, double* scratch,
                        cudaStream_t stream) {
  double* occupied = scratch + ctcScratch(rows);
  const cudaError_t status = launch(occupyStates, blocksFor(rows.batch * kThreads), kThreads, kTeamShared, stream, rows,
                                    logAlpha, rowLosses, occupied, scratch);
  if (status != cudaSuccess) return status;
  return launch(ctcGradients, blocksFor(rows.batch * rows.time * kWarp), kThreads, kTeamShared, stream, rows, reduction,
                rowLosses, occupied, lossGrad, logitsGrad, timeMajor);
}

}  // namespace cudnn_gru::kernels
