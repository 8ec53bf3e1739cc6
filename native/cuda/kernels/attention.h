#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// What attention needs beside matrix products (ops/attention.h).
namespace cudnn_gru::kernels {

struct AttentionShape {
  int64_t batch, queries, time;
  const int64_t* lengths;  // [batch], or null: all of full length
};

// Over x [batch, queries, time]; 0 at the steps after a row's length
cudaError_t maskedSoftmax(const float* x, float* y, const AttentionShape& shape, cudaStream_t stream);

// query [batch, queries, size], keys [batch, time, size], scale [size], scores [batch, queries, time]
cudaError_t additiveScores(const float* query, const float* keys, const float* scale, float* scores,
                           const AttentionShape& shape, int64_t size, cudaStream_t stream);

// partials: [batch, queries, size], what each query adds to the scale's gradient
cudaError_t additiveScoresBackward(const float* query, const float* keys, const float* scale, const float* scoresGrad,
                                   float* queryGrad, float* keysGrad, float* scaleGrad, double* partials,
                                   const AttentionShape& shape, int64_t size, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
