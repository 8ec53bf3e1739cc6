#pragma once

#include "cuda/gru_cudnn.h"

namespace cudnn_gru {

// The method of ops::GruAlgorithm::kStandard.
GruMethod standardGruMethod(const ops::GruShape& shape);

// The method for this call: what it asks for, what is on record, or the fastest of a trial, which is then recorded. A
// trial runs every method on the call's own tensors and weights; one that refuses, or whose results differ from
// STANDARD's, cannot win.
GruMethod chooseGruMethod(GruCudnn& engine, const ops::Gru& operation);

}  // namespace cudnn_gru
