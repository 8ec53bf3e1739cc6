#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

// One time step of one layer and direction, for some rows of the batch and some of the hidden units (ops/gru.h has the
// formulas). Rows are arrays of pointers, [rows] long; the pointers of a step may lead anywhere.
//
// In training every row has four parts of hiddenSize floats, its gates; the backward step replaces them by their
// gradients:
//   reset after:  n, r, z, q = U_n h + b_hn   ->   of n, r, z before their activation, and of q
//   reset before: n, r, z, r * h              ->   of n, r, z before their activation; r * h stays
namespace cudnn_gru {

// Reset after. A panel is `width` units with their gates side by side: row k holds r, z and n of these units.
struct GruStep {
  int64_t rows, inputSize, hiddenSize;
  const float* const* x;          // inputSize each
  const float* const* projected;  // what `project` gave for these rows, instead of x; or null
  const float* const* hidden;     // the state before the step, hiddenSize each
  float* const* next;             // the state after it
  float* const* gates;            // or null in inference
  const float* inputPanels;       // [panels][inputSize][3][width]
  const float* hiddenPanels;      // [panels][hiddenSize][3][width]
  const float* biases;            // [panels][4][width]: of r, z, n and q
  int64_t firstPanel, lastPanel;  // the part of the units to do
};

// The input's share of the sums, for rows of several steps at once: out[row] is [panels][3][width].
struct GruProjection {
  int64_t rows, inputSize;
  const float* const* x;
  float* const* out;
  const float* inputPanels;
  const float* biases;
  int64_t firstPanel, lastPanel;
};

// Reset before: one gate for units begin..end. Panels are those of GemmKernels, of one gate.
struct GruGateStep {
  int64_t rows, inputSize, hiddenSize;
  const float* const* x;
  const float* const* hidden;     // the state before the step
  const float* const* recurrent;  // what the gate's recurrent weights multiply: the state, or r * h
  float* const* next;             // the state after the step, written with the candidate
  float* const* gates;
  const float* inputPanels;
  const float* hiddenPanels;
  const float* bias;   // [hiddenSize]
  int64_t begin, end;  // begin is a multiple of panelColumns
};

// The gradient of the state and with it of the gates, for units begin..end: sum = carry + outputGrad + later · panels,
// where `later` are the gradients of gates that a later step has left.
struct GruBackwardStep {
  int64_t rows, hiddenSize;
  const float* const* later;       // `depth` each
  int64_t laterOffset, depth;      // depth 0: no later step for these rows
  const float* panels;             // of the recurrent weights, depth × hiddenSize, those of GemmKernels
  float* const* carry;             // [rows] in: what reached the state directly; out: what reaches the state before
  const float* const* outputGrad;  // or null
  const float* const* hidden;      // the state before the step
  float* const* gates;
  int64_t begin, end;
};

struct GruKernels {
  void (*project)(const GruProjection& projection);
  void (*stepAfter)(const GruStep& step);
  void (*resetGateBefore)(const GruGateStep& step);   // r and r * h
  void (*updateGateBefore)(const GruGateStep& step);  // z
  void (*candidateBefore)(const GruGateStep& step);   // n and the new state
};
CUDNN_GRU_KERNEL_TABLE(GruKernels, gruTable, gruKernels)

struct GruBackwardKernels {
  void (*stepAfter)(const GruBackwardStep& step);
  void (*stepBefore)(const GruBackwardStep& step);   // of n and z; later = of r, z
  void (*resetBefore)(const GruBackwardStep& step);  // of r, from later = of n in this very step; adds to carry
};
CUDNN_GRU_KERNEL_TABLE(GruBackwardKernels, gruBackwardTable, gruBackwardKernels)

}  // namespace cudnn_gru
