#pragma once

#include <cstdint>
#include <vector>

#include "cpu/cpu_device.h"

namespace cudnn_gru {

// A matrix as pointers to its rows, `offset` added to each.
struct RowPointers {
  const float* const* rows = nullptr;
  int64_t offset = 0;
};

// The rows of a matrix that lies contiguously.
std::vector<const float*> rowsOf(const float* data, int64_t rows, int64_t stride);
std::vector<float*> rowsOf(float* data, int64_t rows, int64_t stride);

// C = A B + bias, or C += A B. Every element is one chain of fused multiply-adds in ascending k: the result depends
// neither on the number of threads nor on how many other rows and columns there are.
struct Product {
  int64_t m = 0, n = 0, k = 0;
  RowPointers a;  // [m] rows, or with transposedA [k] rows of the transposed matrix
  bool transposedA = false;
  const float* panels = nullptr;  // B packed by packPanels, or:
  RowPointers b;                  // [k] rows, or with transposedB [n] rows of the transposed matrix
  bool transposedB = false;
  float* const* c = nullptr;  // [m] rows
  int64_t cOffset = 0;
  const float* bias = nullptr;  // [n]
  bool accumulate = false;
};

void multiply(CpuDevice& device, const Product& product);

// The same for `count` matrices, of which the i-th lies i times the step after the first.
void multiplyBatch(CpuDevice& device, const Product& first, int64_t count, int64_t aStep, int64_t bStep, int64_t cStep);

// Floats that packed panels of a k × n matrix take.
int64_t panelFloats(int64_t k, int64_t n);
// Packs all of B for Product::panels.
void packPanels(ThreadTeam& team, RowPointers b, bool transposed, int64_t k, int64_t n, float* panels);

}  // namespace cudnn_gru
