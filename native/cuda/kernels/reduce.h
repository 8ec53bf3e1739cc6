#pragma once

#include <cuda_runtime_api.h>

#include "cuda/kernels/axes.h"

// Sums over some axes of a tensor. `kept` and `summed` are its axes by what becomes of them, with the steps of x as
// aStrides; the sums are written in the order of the kept axes. `scratch` is of sums.h.
namespace cudnn_gru::kernels {

// out[k] = factor * sum over the summed axes, the fastest axis of x being among them; scratch: rowSumsScratch
cudaError_t sumRows(const float* x, float* out, const Axes& kept, const Axes& summed, int64_t outputs, int64_t length,
                    double factor, double* scratch, cudaStream_t stream);
// The same when the fastest axis is kept; scratch: columnSumsScratch(length, outputs)
cudaError_t sumColumns(const float* x, float* out, const Axes& kept, const Axes& summed, int64_t outputs,
                       int64_t length, double factor, double* scratch, cudaStream_t stream);

// out[column] = sum over the rows of x [rows, columns]; scratch: columnSumsScratch
cudaError_t sumOverRows(const float* x, float* out, int64_t rows, int64_t columns, double* scratch,
                        cudaStream_t stream);

}  // namespace cudnn_gru::kernels
