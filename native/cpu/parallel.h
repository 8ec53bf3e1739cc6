#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/thread_team.h"

// How operations other than the GRU share their work among the threads. No result may depend on how it was shared: an
// element or a row is computed by one thread, and a sum over many is made of pieces whose size is fixed by the shape
// alone.
namespace cudnn_gru {

// Below this many elements waking a thread costs more than it saves.
constexpr int64_t kElementGrain = 32768;

// The same in rows of `elements` elements.
inline int64_t rowGrain(int64_t elements) {
  return std::max<int64_t>(1, kElementGrain / std::max<int64_t>(1, elements));
}

// work(begin, end) over ranges that cover 0..count, each of `grain` or more
template <class Work>
void parallelRanges(ThreadTeam& team, int64_t count, int64_t grain, const Work& work) {
  if (count <= 0) return;
  const int64_t parts = std::clamp<int64_t>(count / grain, 1, team.size());
  team.parallelFor(int(parts), [&](int part) { work(count * part / parts, count * (part + 1) / parts); });
}

// Elements whose sum one thread makes at a stretch.
constexpr int64_t kSumPiece = 4096;

// The sum of sumOf(begin, end) over consecutive pieces of 0..count, added in order.
template <class SumOf>
double sumOfPieces(ThreadTeam& team, int64_t count, int64_t piece, int64_t grain, const SumOf& sumOf) {
  const int64_t pieces = (count + piece - 1) / piece;
  std::vector<double> sums(pieces);
  parallelRanges(team, pieces, std::max<int64_t>(1, grain / piece), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sums[i] = sumOf(i * piece, std::min(count, (i + 1) * piece));
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace cudnn_gru
