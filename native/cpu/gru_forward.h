#pragma once

#include <memory>
#include <vector>

#include "cpu/gru_rows.h"
#include "cpu/gru_weights.h"

namespace cudnn_gru {

// Runs one layer, all its directions, through the whole sequence: fills the cells' outputs and, where they have them,
// gates.
void runGruLayer(CpuDevice& device, const std::vector<GruCell>& cells, const std::vector<GruWeights>& weights,
                 bool resetBefore);

}  // namespace cudnn_gru
