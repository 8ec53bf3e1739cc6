#include "cpu/gru_rows.h"

#include <algorithm>
#include <numeric>

#include "cpu/simd/gemm_kernels.h"

namespace cudnn_gru {

GruOrder::GruOrder(const ops::GruSizes& shape) : rows(shape.batch), lengths(shape.batch) {
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](int64_t a, int64_t b) { return shape.lengthOf(a) > shape.lengthOf(b); });
  for (int64_t place = 0; place < shape.batch; ++place) lengths[place] = shape.lengthOf(rows[place]);
  steps = lengths.empty() ? 0 : lengths[0];
  running.assign(steps + 1, 0);
  first.assign(steps + 1, 0);
  int64_t places = shape.batch;
  for (int64_t step = 0; step < steps; ++step) {
    while (places > 0 && lengths[places - 1] <= step) --places;
    running[step] = places;
    first[step + 1] = first[step] + places;
  }
}

Sequence sequenceOf(float* data, const ops::GruSizes& shape, int64_t features, bool timeMajor) {
  return timeMajor ? Sequence{data, shape.batch * features, features} : Sequence{data, features, shape.time * features};
}

GruSplit chooseSplit(int threads, int64_t directions, const GruOrder& order, int64_t work, int64_t units) {
  // Multiply-adds of about 20 µs, which starting a thread must be worth, and of about 2 µs, for meeting at a step.
  constexpr int64_t kWorthStarting = 2000000, kWorthMeeting = 100000;
  if (order.steps == 0 || threads == 1) return {1, 1, true};
  const int64_t total = order.total() * work * directions;
  const int worthwhile = int(std::clamp<int64_t>(total / kWorthStarting, 1, threads));
  const int groups = directions == 2 && worthwhile >= 2 ? 2 : 1;
  const int64_t parts = worthwhile / groups;
  const int64_t tiles = order.running[0] / gemmKernels().tileRows;
  if (tiles >= parts) return {groups, int(parts), true};
  const int64_t meeting = std::min({parts, units, order.total() / order.steps * work / kWorthMeeting});
  if (tiles >= meeting) return {groups, int(std::max<int64_t>(1, tiles)), true};
  return {groups, int(meeting), false};
}

}  // namespace cudnn_gru
