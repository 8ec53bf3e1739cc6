#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// Operations along the time of padded sequences (ops/sequences.h); x is [batch, time, features] or time-major.
namespace cudnn_gru::kernels {

struct SequenceLayout {
  int64_t batch, time, features;
  bool timeMajor;
};

// `steps` and `lengths` are [batch], on the device.
cudaError_t gatherTime(const float* x, const int64_t* steps, float* y, const SequenceLayout& layout,
                       cudaStream_t stream);
cudaError_t gatherTimeBackward(const float* yGrad, const int64_t* steps, float* xGrad, const SequenceLayout& layout,
                               cudaStream_t stream);
cudaError_t maskedMean(const float* x, const int64_t* lengths, float* y, const SequenceLayout& layout,
                       cudaStream_t stream);
cudaError_t maskedMeanBackward(const float* yGrad, const int64_t* lengths, float* xGrad, const SequenceLayout& layout,
                               cudaStream_t stream);
cudaError_t maskedMax(const float* x, const int64_t* lengths, float* y, int32_t* argmax, const SequenceLayout& layout,
                      cudaStream_t stream);
cudaError_t maskedMaxBackward(const float* yGrad, const int32_t* argmax, float* xGrad, const SequenceLayout& layout,
                              cudaStream_t stream);

}  // namespace cudnn_gru::kernels
