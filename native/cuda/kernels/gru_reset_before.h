#pragma once

#include <cuda_runtime_api.h>
#include <stdint.h>

// The steps of the reset-before cell, between its matrix products. Sequences are [time, batch, ...]. At step s a row of
// length n stands at time s, in the reversed direction at n - 1 - s; when s >= n it is at rest: its state stays, and it
// has no gradient.
namespace cudnn_gru::kernels {

struct GruStep {
  int64_t step, time, batch, hiddenSize;
  const int32_t* lengths;  // [batch], or null: all of full length
  bool reversed;
};

// r, z = σ(input + recurrent + bias); resetState = r * state
struct GruGates {
  const float* input;      // [time, batch, 3H]: W x + b_ih
  const float* recurrent;  // [batch, 2H]: U state, of r and z
  const float* bias;       // [3H] of the state, or null
  const float* state;      // [batch, H]
  float* z;                // [batch, H]
  float* resetState;       // [batch, H]
  // For the gradient, or null: [time, batch, 3H], [time, batch, H] and [time, batch, H]
  float *gates, *stateBefore, *resetStates;
};
cudaError_t gruGates(const GruStep& step, const GruGates& arrays, cudaStream_t stream);

// n = tanh(input + recurrent + bias); state = z * state + (1 - z) * n, which is also the output
struct GruCandidate {
  const float* input;      // as before
  const float* recurrent;  // [batch, H]: U_n resetState
  const float* bias;
  const float* z;
  float* state;          // [batch, H], in place
  float* output;         // [time, batch, outputStride], this direction's H columns
  int64_t outputStride;  // directions * H
  float* gates;          // as before
};
cudaError_t gruCandidate(const GruStep& step, const GruCandidate& arrays, cudaStream_t stream);

// The gradient of a step, from that of the state after it (carry + recurrent) and of its output, to those of n, z and,
// in part, of the state before it (carry).
struct GruCandidateGradient {
  const float* outputGrad;  // as output, or null
  int64_t outputStride;
  const float* recurrent;  // [batch, H]: what the products of the step after gave, or null
  const float *gates, *stateBefore;
  float* carry;           // [batch, H], in place
  float* candidateGrad;   // [batch, H]
  float* gateGrads;       // [batch, 2H]: here z's half
  float* grads;           // [time, batch, 3H]: here those of z and n
  float* candidateGrads;  // [time, batch, H]
};
cudaError_t gruCandidateGradient(const GruStep& step, const GruCandidateGradient& arrays, cudaStream_t stream);

// On to r, and to the state before the step.
struct GruResetGradient {
  const float* resetStateGrad;  // [batch, H]: candidateGrad U_n
  const float *gates, *stateBefore;
  float* carry;
  float* gateGrads;  // [batch, 2H]: here r's half
  float* grads;      // [time, batch, 3H]: here those of r
};
cudaError_t gruResetGradient(const GruStep& step, const GruResetGradient& arrays, cudaStream_t stream);

// to = from [time, batch, features], 0 where a row has ended
cudaError_t gruClearPadding(const float* from, float* to, const int32_t* lengths, int64_t time, int64_t batch,
                            int64_t features, cudaStream_t stream);

}  // namespace cudnn_gru::kernels
