#include <algorithm>
#include <cstring>

#include "cpu/cpu_device.h"
#include "cpu/parallel.h"

// The operations that only move elements. Every element is four bytes, whatever its type.
namespace cudnn_gru {
namespace {

// What a matrix of `rows` rows is made of when its rows do not follow each other in memory.
struct Rows {
  int32_t* data;
  int64_t stride;  // elements from one row to the next
};

// Copies rows of `length` elements. Long rows and many short ones are shared alike: by elements, not by rows.
void copyRows(ThreadTeam& team, Rows from, Rows to, int64_t rows, int64_t length) {
  parallelRanges(team, rows * length, kElementGrain, [=](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t row = begin / length, column = begin % length;
      const int64_t taken = std::min(length - column, end - begin);
      std::memcpy(to.data + row * to.stride + column, from.data + row * from.stride + column, taken * sizeof(int32_t));
      begin += taken;
    }
  });
}

// A tile of a matrix of single elements, so that both sides are touched in whole cache lines of 16 and those of y in a
// row.
constexpr int64_t kTileRows = 64, kTileColumns = 16;

void transposeTile(const int32_t* x, int64_t xStride, int32_t* y, int64_t yStride, int64_t rows, int64_t columns) {
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t row = 0; row < rows; ++row) y[column * yStride + row] = x[row * xStride + column];
}

}  // namespace

void CpuDevice::copy(const ops::Copy& operation) {
  copyRows(team_, {operation.x.ints(), 0}, {operation.target.ints(), 0}, 1, operation.count);
}

void CpuDevice::concat(const ops::Concat& operation) {
  const int64_t inner = operation.inner;
  int32_t* y = operation.y.ints();
  for (size_t i = 0; i < operation.parts.size(); ++i) {
    const int64_t taken = operation.lengths[i] * inner;
    copyRows(team_, {operation.parts[i].ints(), taken}, {y, operation.length * inner}, operation.outer, taken);
    y += taken;
  }
}

void CpuDevice::slice(const ops::Slice& operation) {
  const int64_t inner = operation.inner;
  copyRows(team_, {operation.x.ints() + operation.start * inner, operation.length * inner},
           {operation.y.ints(), operation.taken * inner}, operation.outer, operation.taken * inner);
}

void CpuDevice::sliceBackward(const ops::SliceBackward& operation) {
  const int64_t inner = operation.inner;
  const int64_t length = operation.length * inner;
  const int64_t first = operation.start * inner, taken = operation.taken * inner;
  const float* yGrad = operation.yGrad.floats();
  float* xGrad = operation.xGrad.floats();
  parallelRanges(team_, operation.outer * length, kElementGrain, [=](int64_t begin, int64_t end) {
    std::memset(xGrad + begin, 0, (end - begin) * sizeof(float));
    while (begin < end) {
      const int64_t row = begin / length, column = begin % length;
      const int64_t stop = std::min(length, column + end - begin);
      const int64_t from = std::max(column, first), to = std::min(stop, first + taken);
      if (from < to)
        std::memcpy(xGrad + row * length + from, yGrad + row * taken + from - first, (to - from) * sizeof(float));
      begin += stop - column;
    }
  });
}

void CpuDevice::transpose(const ops::Transpose& operation) {
  const int64_t m = operation.m, middle = operation.middle, n = operation.n, inner = operation.inner;
  const int32_t* x = operation.x.ints();
  int32_t* y = operation.y.ints();
  const int64_t xRow = middle * n * inner, yRow = middle * m * inner;  // strides of m in x and of n in y
  const int64_t tileRows = (m + kTileRows - 1) / kTileRows, tileColumns = (n + kTileColumns - 1) / kTileColumns;
  const int64_t tiles = operation.outer * middle * tileRows * tileColumns;
  const int64_t grain = rowGrain(std::min(m, kTileRows) * std::min(n, kTileColumns) * inner);
  parallelRanges(team_, tiles, grain, [=](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t column = tile % tileColumns * kTileColumns, row = tile / tileColumns % tileRows * kTileRows;
      const int64_t matrix = tile / (tileColumns * tileRows);
      const int64_t o = matrix / middle, k = matrix % middle;
      const int64_t rows = std::min(kTileRows, m - row), columns = std::min(kTileColumns, n - column);
      const int32_t* from = x + o * m * xRow + k * n * inner + row * xRow + column * inner;
      int32_t* to = y + o * n * yRow + k * m * inner + column * yRow + row * inner;
      if (inner == 1) {
        transposeTile(from, xRow, to, yRow, rows, columns);
        continue;
      }
      for (int64_t j = 0; j < columns; ++j)
        for (int64_t i = 0; i < rows; ++i)
          std::memcpy(to + j * yRow + i * inner, from + i * xRow + j * inner, inner * sizeof(int32_t));
    }
  });
}

}  // namespace cudnn_gru
