#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/parallel.h"

namespace cudnn_gru {

// Sums over the rows of each of `groups` matrices: sums[g, c] = sum over r of term(g, r, c), in float64. addRows(group,
// row, lastRow, column, lastColumn, sums) adds the terms of rows row..lastRow - 1 to sums[0 .. lastColumn - column).
// The rows of a piece are added in order, then the pieces; what is a piece depends on the shape alone.
template <class AddRows>
std::vector<double> columnSums(ThreadTeam& team, int64_t groups, int64_t rows, int64_t columns,
                               const AddRows& addRows) {
  constexpr int64_t kWidth = 256;  // columns of a piece: their sums stay in the first cache
  const int64_t width = std::min(columns, kWidth);
  const int64_t height = std::max<int64_t>(1, 2 * kElementGrain / std::max<int64_t>(1, width));
  const int64_t across = (columns + kWidth - 1) / kWidth, down = std::max<int64_t>(1, (rows + height - 1) / height);
  std::vector<double> sums(down * groups * columns);
  parallelRanges(team, groups * across * down, rowGrain(width * std::min(rows, height)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t piece = begin; piece < end; ++piece) {
                     const int64_t column = piece % across * kWidth, group = piece / across % groups;
                     const int64_t level = piece / across / groups, row = level * height;
                     addRows(group, row, std::min(rows, row + height), column, std::min(columns, column + kWidth),
                             sums.data() + (level * groups + group) * columns + column);
                   }
                 });
  for (int64_t level = 1; level < down; ++level)
    for (int64_t i = 0; i < groups * columns; ++i) sums[i] += sums[level * groups * columns + i];
  sums.resize(groups * columns);
  return sums;
}

}  // namespace cudnn_gru
