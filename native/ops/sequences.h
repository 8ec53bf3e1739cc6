#pragma once

#include <cstdint>
#include <vector>

#include "device/buffer.h"

// Operations along the time of padded sequences. `timeMajor` tells [time, batch, features] from [batch, time,
// features].
namespace cudnn_gru::ops {

struct SequenceShape {
  int64_t batch, time, features;
  bool timeMajor;
  std::vector<int64_t> steps;  // [batch], on the host; see each operation
  template <class V>
  void shape(V& visit, const char* name, int64_t least, int64_t most) {
    visit.size(batch, "batch");
    visit.size(time, "time");
    visit.size(features, "features");
    visit.flag(timeMajor, "timeMajor");
    visit.hostInts(steps, name, batch);
    for (int64_t step : steps) visit.require(step >= least && step <= most + time, name);
  }
};

// y[b] = x[b, steps[b]]; a step of -1 gives a row of zeros
struct GatherTime : SequenceShape {
  View x;  // [batch, time, features] or time-major
  View y;  // [batch, features]
  template <class V>
  void fields(V& visit) {
    shape(visit, "steps", -1, -1);
    visit.in(x, "x", {batch, time, features});
    visit.out(y, "y", {batch, features});
  }
};
struct GatherTimeBackward : SequenceShape {
  View yGrad;  // [batch, features]
  View xGrad;  // as x, 0 at every other step
  template <class V>
  void fields(V& visit) {
    shape(visit, "steps", -1, -1);
    visit.in(yGrad, "yGrad", {batch, features});
    visit.out(xGrad, "xGrad", {batch, time, features});
  }
};

// y[b] = mean of x[b, t] over t < steps[b]; a length of 0 gives zeros
struct MaskedMean : SequenceShape {
  View x;  // [batch, time, features] or time-major
  View y;  // [batch, features]
  template <class V>
  void fields(V& visit) {
    shape(visit, "lengths", 0, 0);
    visit.in(x, "x", {batch, time, features});
    visit.out(y, "y", {batch, features});
  }
};
struct MaskedMeanBackward : SequenceShape {
  View yGrad;  // [batch, features]
  View xGrad;  // as x
  template <class V>
  void fields(V& visit) {
    shape(visit, "lengths", 0, 0);
    visit.in(yGrad, "yGrad", {batch, features});
    visit.out(xGrad, "xGrad", {batch, time, features});
  }
};

// y[b, f] = max of x[b, t, f] over t < steps[b], the first on a tie, NaN if any is; a length of 0 gives zeros
struct MaskedMax : SequenceShape {
  View x;       // [batch, time, features] or time-major
  View y;       // [batch, features]
  View argmax;  // [batch, features] int32: the step taken, -1 for a length of 0
  template <class V>
  void fields(V& visit) {
    shape(visit, "lengths", 0, 0);
    visit.in(x, "x", {batch, time, features});
    visit.out(y, "y", {batch, features});
    visit.outInts(argmax, "argmax", {batch, features});
  }
};
struct MaskedMaxBackward {
  int64_t batch, time, features;
  bool timeMajor;
  View argmax;  // [batch, features] int32
  View yGrad;   // [batch, features]
  View xGrad;   // as x
  template <class V>
  void fields(V& visit) {
    visit.size(batch, "batch");
    visit.size(time, "time");
    visit.size(features, "features");
    visit.flag(timeMajor, "timeMajor");
    visit.inInts(argmax, "argmax", {batch, features});
    visit.in(yGrad, "yGrad", {batch, features});
    visit.out(xGrad, "xGrad", {batch, time, features});
  }
};

}  // namespace cudnn_gru::ops
