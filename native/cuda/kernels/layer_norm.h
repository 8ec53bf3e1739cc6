#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Layer normalisation of each row of [rows, columns]; weight and bias [columns] may be null; mean and rstd are [rows].
namespace cudnn_gru::kernels {

cudaError_t layerNorm(const float* x, const float* weight, const float* bias, float* y, float* mean, float* rstd,
                      int64_t rows, int64_t columns, double epsilon, cudaStream_t stream);

cudaError_t layerNormBackward(const float* x, const float* weight, const float* mean, const float* rstd,
                              const float* yGrad, float* xGrad, int64_t rows, int64_t columns, cudaStream_t stream);

// weightGrad[c] = sum over the rows of yGrad times the normalised x; scratch: columnSumsScratch(rows, columns) doubles
cudaError_t layerNormWeightGrad(const float* x, const float* mean, const float* rstd, const float* yGrad,
                                float* weightGrad, int64_t rows, int64_t columns, double* scratch, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
