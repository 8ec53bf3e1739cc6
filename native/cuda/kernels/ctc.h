#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

#include "cuda/kernels/index_fault.h"

// Connectionist temporal classification as ops::Ctc defines it. A label that is the blank or no class is reported; the
// loss and the gradients of its row are NaN.
namespace cudnn_gru::kernels {

// Everything lies on the device, and batch first unless it says otherwise.
struct CtcRows {
  int64_t batch, time, classes, labels, blank;
  const int64_t *inputLengths, *targetLengths;  // [batch]
  const int32_t* target;                        // [batch, labels]
  const float* logProbabilities;                // [batch, time, classes]
  bool zeroInfinity;
};

// What the loss of a row is part of: itself, the sum, or the mean.
enum class CtcReduction { kNone, kSum, kMean };

// Doubles that `scratch` must hold: the states of two steps, and in the backward operation of all.
inline int64_t ctcScratch(const CtcRows& rows) { return rows.batch * 2 * (2 * rows.labels + 1); }
inline int64_t ctcBackwardScratch(const CtcRows& rows) {
  return ctcScratch(rows) + rows.batch * rows.time * (2 * rows.labels + 1);
}

// logAlpha [batch, time, 2 labels + 1], rowLosses [batch]; loss [1], or [batch] without reduction
cudaError_t ctc(const CtcRows& rows, CtcReduction reduction, float* logAlpha, float* rowLosses, float* loss,
                double* scratch, IndexFault* fault, cudaStream_t stream);

// logitsGrad is [time, batch, classes] if timeMajor; lossGrad [1], or [batch] without reduction
cudaError_t ctcBackward(const CtcRows& rows, CtcReduction reduction, const float* logAlpha, const float* rowLosses,
                        const float* lossGrad, float* logitsGrad, bool timeMajor, double* scratch, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
