#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Operations that only move elements of four bytes, whatever their type.
namespace cudnn_gru::kernels {

// Copies rows of `length` elements; the rows of an array follow each other at its stride, in elements.
cudaError_t copyRows(const int32_t* from, int64_t fromStride, int32_t* to, int64_t toStride, int64_t rows,
                     int64_t length, cudaStream_t stream);

// x [outer, length, inner] = y [outer, taken, inner] at start : start + taken of the middle axis, 0 elsewhere
cudaError_t placeSlice(const float* y, float* x, int64_t outer, int64_t length, int64_t inner, int64_t start,
                       int64_t taken, cudaStream_t stream);

// y [outer, n, middle, m, inner] = x [outer, m, middle, n, inner]
cudaError_t transpose(const int32_t* x, int32_t* y, int64_t outer, int64_t m, int64_t middle, int64_t n, int64_t inner,
                      cudaStream_t stream);

}  // namespace cudnn_gru::kernels
