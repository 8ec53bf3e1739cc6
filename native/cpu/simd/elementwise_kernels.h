#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

namespace cudnn_gru {

// out[i] = a[i * aStep] (+ - * /) b[i * bStep]; `out` may be `a` or `b` where the step is 1
using BinaryKernel = void (*)(const float* a, int64_t aStep, const float* b, int64_t bStep, float* out, int64_t count);
using UnaryKernel = void (*)(const float* x, float* out, int64_t count);
using UnaryBackwardKernel = void (*)(const float* y, const float* yGrad, float* xGrad, int64_t count);

struct ElementwiseKernels {
  void (*fill)(float value, float* out, int64_t count);
  void (*scale)(float factor, float offset, const float* x, float* out, int64_t count);
  UnaryKernel tanh, sigmoid, relu;
  UnaryBackwardKernel tanhBackward, sigmoidBackward, reluBackward;
  BinaryKernel add, sub, mul, div;
};
CUDNN_GRU_KERNEL_TABLE(ElementwiseKernels, elementwiseTable, elementwiseKernels)

}  // namespace cudnn_gru
