#pragma once

#include <stdint.h>

#include "cpu/simd/kernel_table.h"

// The GRU in low precision, in one number format (ops/gru_quantized.h). A panel is `width` units with the gates r, z
// and n side by side; its row k holds word k of the weights of every unit and gate: [panels][depth][3][width] words.
namespace cudnn_gru {

// out[row] = biases + weights · activations, for some panels
struct GruQuantizedProduct {
  int64_t rows, depth;                // depth: words of a row of weights
  const int32_t* const* activations;  // what quantizeState or quantizeInput wrote, one pointer a row
  const float* rowScales;             // what they returned
  float* const* out;                  // [panels][3][width] each
  const int32_t* panels;
  const int32_t* corrections;  // [panels][3][width] int8: where the sums start
  const float* scales;         // [panels][3][width] int8: of the weights
  const float* biases;         // [panels][3][width]
  int64_t firstPanel, lastPanel;
};

// The new state from the input's and the state's share of the gates.
struct GruQuantizedGates {
  const float* input;      // [panels][3][width]
  const float* recurrent;  // the same
  const float* hidden;     // [hiddenSize]
  float* next;             // [hiddenSize]
  int64_t hiddenSize;
  bool bounded;  // keep the state in [-1, 1], which rounding may leave by one unit in the last place
  int64_t firstPanel, lastPanel;
};

struct GruQuantizedKernels {
  int64_t width;            // units of a panel
  int64_t activationWords;  // for each word of a row of weights; a row's memory ends with 64 bytes more
  int32_t activationShift;  // int8: what is added to every activation, so that sums start at -shift · Σ weights
  // Rounds a row of `count` numbers for the products. Returns what one step of it stands for.
  float (*quantizeState)(const float* from, int64_t count, int32_t* to);
  float (*quantizeInput)(const float* from, int64_t count, int32_t* to);
  void (*multiply)(const GruQuantizedProduct& product);
  void (*gates)(const GruQuantizedGates& gates);
};

CUDNN_GRU_KERNEL_TABLE_(GruQuantizedKernels, gruInt8Table)
CUDNN_GRU_KERNEL_TABLE_(GruQuantizedKernels, gruBfloat16Table)

}  // namespace cudnn_gru
