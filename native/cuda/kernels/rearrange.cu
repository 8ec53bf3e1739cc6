#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/rearrange.h"

namespace cudnn_gru::kernels {
namespace {

// What one thread moves at once: one element, or four neighbouring ones.
struct alignas(16) Quad {
  int32_t at[4];
};

bool isQuads(int64_t elements) { return elements % 4 == 0; }
bool isQuads(const void* pointer) { return (reinterpret_cast<uintptr_t>(pointer) & 15) == 0; }

// Kernels

template <class Element>
__global__ void copyRowElements(const Element* from, int64_t fromStride, Element* to, int64_t toStride, int64_t rows,
                                int64_t length) {
  for (int64_t i = gridThread(); i < rows * length; i += gridThreads()) {
    const int64_t row = i / length, column = i - row * length;
    to[row * toStride + column] = from[row * fromStride + column];
  }
}

__global__ void placeSliceElements(const float* y, float* x, int64_t count, int64_t length, int64_t start,
                                   int64_t taken) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const int64_t outer = i / length, at = i - outer * length - start;
    x[i] = at >= 0 && at < taken ? y[outer * taken + at] : 0.0f;
  }
}

// Of y, in its order: [outer, n, middle, m, inner].
template <class Element>
__global__ void transposeRows(const Element* x, Element* y, int64_t count, int64_t m, int64_t middle, int64_t n,
                              int64_t inner) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) {
    const int64_t at = i / inner, column = i - at * inner;
    const int64_t a = at / m, row = at - a * m;        // of m
    const int64_t b = a / middle, k = a - b * middle;  // of middle
    const int64_t outer = b / n, j = b - outer * n;    // of n
    y[i] = x[(((outer * m + row) * middle + k) * n + j) * inner + column];
  }
}

constexpr int kTile = 32, kTileThreads = 8;

// inner = 1: tiles of the m × n matrices, through shared memory, so that both sides are touched in whole lines. A row
// of the tile is one longer than it need be: its columns then lie in different banks.
__global__ void transposeTiles(const int32_t* x, int32_t* y, int64_t matrices, int64_t m, int64_t middle, int64_t n) {
  int32_t* tile = sharedMemory<int32_t>();  // [kTile, kTile + 1]
  const int64_t down = (m + kTile - 1) / kTile, across = (n + kTile - 1) / kTile;
  for (int64_t at = blockIdx.x; at < matrices * down * across; at += gridDim.x) {
    const int64_t above = at / across, column = (at - above * across) * kTile;
    const int64_t matrix = above / down, row = (above - matrix * down) * kTile;
    const int64_t outer = matrix / middle, k = matrix - outer * middle;
    const int32_t* from = x + outer * m * middle * n + k * n;  // rows of m: middle * n apart
    int32_t* to = y + outer * n * middle * m + k * m;          // rows of n: middle * m apart
    __syncthreads();                                           // until the last tile was written
    for (int i = threadIdx.y; i < kTile; i += kTileThreads)
      if (row + i < m && column + threadIdx.x < n)
        tile[i * (kTile + 1) + threadIdx.x] = from[(row + i) * middle * n + column + threadIdx.x];
    __syncthreads();
    for (int j = threadIdx.y; j < kTile; j += kTileThreads)
      if (column + j < n && row + threadIdx.x < m)
        to[(column + j) * middle * m + row + threadIdx.x] = tile[threadIdx.x * (kTile + 1) + j];
  }
}

}  // namespace

// Launchers

cudaError_t copyRows(const int32_t* from, int64_t fromStride, int32_t* to, int64_t toStride, int64_t rows,
                     int64_t length, cudaStream_t stream) {
  if (isQuads(from) && isQuads(to) && isQuads(fromStride) && isQuads(toStride) && isQuads(length))
    return launch(copyRowElements<Quad>, blocksFor(rows * length / 4), kThreads, 0, stream,
                  reinterpret_cast<const Quad*>(from), fromStride / 4, reinterpret_cast<Quad*>(to), toStride / 4, rows,
                  length / 4);
  return launch(copyRowElements<int32_t>, blocksFor(rows * length), kThreads, 0, stream, from, fromStride, to, toStride,
                rows, length);
}

cudaError_t placeSlice(const float* y, float* x, int64_t outer, int64_t length, int64_t inner, int64_t start,
                       int64_t taken, cudaStream_t stream) {
  const int64_t count = outer * length * inner;
  return launch(placeSliceElements, blocksFor(count), kThreads, 0, stream, y, x, count, length * inner, start * inner,
                taken * inner);
}

cudaError_t transpose(const int32_t* x, int32_t* y, int64_t outer, int64_t m, int64_t middle, int64_t n, int64_t inner,
                      cudaStream_t stream) {
  const int64_t count = outer * m * middle * n * inner;
  if (inner == 1) {
    const int64_t tiles = outer * middle * ((m + kTile - 1) / kTile) * ((n + kTile - 1) / kTile);
    return launch(transposeTiles, unsigned(tiles < kMostBlocks ? tiles : kMostBlocks), dim3(kTile, kTileThreads),
                  kTile * (kTile + 1) * sizeof(int32_t), stream, x, y, outer * middle, m, middle, n);
  }
  if (isQuads(inner) && isQuads(x) && isQuads(y))
    return launch(transposeRows<Quad>, blocksFor(count / 4), kThreads, 0, stream, reinterpret_cast<const Quad*>(x),
                  reinterpret_cast<Quad*>(y), count / 4, m, middle, n, inner / 4);
  return launch(transposeRows<int32_t>, blocksFor(count), kThreads, 0, stream, x, y, count, m, middle, n, inner);
}

}  // namespace cudnn_gru::kernels
