#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"
#include "cpu/simd/elementwise_kernels.h"
#include "cpu/simd/reduce_kernels.h"

namespace cudnn_gru {
namespace {

// Where row b of a padded batch lies: step t of it starts at start(b) + t * step.
struct Layout {
  int64_t batch, time, features;
  bool timeMajor;
  int64_t start(int64_t b) const { return timeMajor ? b * features : b * time * features; }
  int64_t step() const { return timeMajor ? batch * features : features; }
};

template <class Operation>
Layout layoutOf(const Operation& operation) {
  return {operation.batch, operation.time, operation.features, operation.timeMajor};
}

void zeroSteps(const Layout& layout, float* x, int64_t b, int64_t from, int64_t to) {
  float* row = x + layout.start(b);
  for (int64_t t = from; t < to; ++t) std::fill_n(row + t * layout.step(), layout.features, 0.0f);
}

}  // namespace

void CpuDevice::gatherTime(const ops::GatherTime& operation) {
  const Layout layout = layoutOf(operation);
  const int64_t* steps = operation.steps.data();
  const float* x = operation.x.floats();
  float* y = operation.y.floats();
  parallelRanges(team_, layout.batch, rowGrain(layout.features), [=](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      if (steps[b] < 0)
        std::fill_n(y + b * layout.features, layout.features, 0.0f);
      else
        std::memcpy(y + b * layout.features, x + layout.start(b) + steps[b] * layout.step(),
                    layout.features * sizeof(float));
    }
  });
}

void CpuDevice::gatherTimeBackward(const ops::GatherTimeBackward& operation) {
  const Layout layout = layoutOf(operation);
  const int64_t* steps = operation.steps.data();
  const float* yGrad = operation.yGrad.floats();
  float* xGrad = operation.xGrad.floats();
  parallelRanges(team_, layout.batch, rowGrain(layout.time * layout.features), [=](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      zeroSteps(layout, xGrad, b, 0, layout.time);
      if (steps[b] >= 0)
        std::memcpy(xGrad + layout.start(b) + steps[b] * layout.step(), yGrad + b * layout.features,
                    layout.features * sizeof(float));
    }
  });
}

void CpuDevice::maskedMean(const ops::MaskedMean& operation) {
  const Layout layout = layoutOf(operation);
  const int64_t* lengths = operation.steps.data();
  const float* x = operation.x.floats();
  float* y = operation.y.floats();
  const auto addRows = reduceKernels().addRows;
  parallelRanges(team_, layout.batch, rowGrain(layout.time * layout.features), [=](int64_t begin, int64_t end) {
    std::vector<double> sums(layout.features);
    for (int64_t b = begin; b < end; ++b) {
      std::fill(sums.begin(), sums.end(), 0.0);
      addRows(x + layout.start(b), lengths[b], layout.step(), layout.features, sums.data());
      const double length = double(std::max<int64_t>(1, lengths[b]));
      for (int64_t f = 0; f < layout.features; ++f) y[b * layout.features + f] = float(sums[f] / length);
    }
  });
}

void CpuDevice::maskedMeanBackward(const ops::MaskedMeanBackward& operation) {
  const Layout layout = layoutOf(operation);
  const int64_t* lengths = operation.steps.data();
  const float* yGrad = operation.yGrad.floats();
  float* xGrad = operation.xGrad.floats();
  const auto scale = elementwiseKernels().scale;
  parallelRanges(team_, layout.batch, rowGrain(layout.time * layout.features), [=](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const float factor = float(1.0 / double(std::max<int64_t>(1, lengths[b])));
      float* row = xGrad + layout.start(b);
      for (int64_t t = 0; t < lengths[b]; ++t)
        scale(factor, 0.0f, yGrad + b * layout.features, row + t * layout.step(), layout.features);
      zeroSteps(layout, xGrad, b, lengths[b], layout.time);
    }
  });
}

void CpuDevice::maskedMax(const ops::MaskedMax& operation) {
  const Layout layout = layoutOf(operation);
  const int64_t* lengths = operation.steps.data();
  const float* x = operation.x.floats();
  float* y = operation.y.floats();
  int32_t* argmax = operation.argmax.ints();
  const auto columnMaxima = reduceKernels().columnMaxima;
  parallelRanges(team_, layout.batch, rowGrain(layout.time * layout.features), [=](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      columnMaxima(x + layout.start(b), lengths[b], layout.step(), layout.features, y + b * layout.features,
                   argmax + b * layout.features);
  });
}

void CpuDevice::maskedMaxBackward(const ops::MaskedMaxBackward& operation) {
  const Layout layout = layoutOf(operation);
  const int32_t* argmax = operation.argmax.ints();
  const float* yGrad = operation.yGrad.floats();
  float* xGrad = operation.xGrad.floats();
  parallelRanges(team_, layout.batch, rowGrain(layout.time * layout.features), [=](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      zeroSteps(layout, xGrad, b, 0, layout.time);
      for (int64_t f = 0; f < layout.features; ++f) {
        const int64_t step = argmax[b * layout.features + f];
        if (step < 0) continue;
        CUDNN_GRU_CHECK(step < layout.time, "argmax " + std::to_string(step));
        xGrad[layout.start(b) + step * layout.step() + f] = yGrad[b * layout.features + f];
      }
    }
  });
}

}  // namespace cudnn_gru
