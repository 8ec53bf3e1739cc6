#pragma once

#include <vector>

#include "cpu/cpu_device.h"
#include "cpu/gru_rows.h"
#include "cpu/simd/gru_quantized_kernels.h"

namespace cudnn_gru {

// The best kernels of this machine for int8, else for bfloat16.
const GruQuantizedKernels& gruQuantizedKernels(bool int8);

// One matrix of weights in the order of the kernels.
struct QuantizedMatrix {
  int64_t depth;                      // words of a row
  const int32_t* panels;              // [panels][depth][3][width]
  const int32_t* corrections;         // [panels][3][width]
  std::vector<float> scales, biases;  // the same
};
struct QuantizedWeights {
  QuantizedMatrix input, hidden;
};
QuantizedWeights packQuantizedWeights(CpuDevice& device, const ops::GruQuantized& operation, int64_t cell);

// Runs one layer, all its directions, through the whole sequence.
void runQuantizedLayer(CpuDevice& device, bool int8, const std::vector<GruCell>& cells,
                       const std::vector<QuantizedWeights>& weights);

}  // namespace cudnn_gru
