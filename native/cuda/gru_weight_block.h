#pragma once

#include <memory>
#include <vector>

#include "cuda/cuda_device.h"
#include "cuda/gru_descriptors.h"

namespace cudnn_gru {

// The parameters of one call of cuDNN, in its weight space and its number type: those of a whole stack, as a GRU layer
// holds them, as they are, others copied together; in 16 bits a copy that is kept with the parameters' block until they
// change.
class GruWeightBlock {
 public:
  // `views` from `first` on, in the order of configuration.layout().
  GruWeightBlock(CudaDevice& device, const std::vector<View>& views, int64_t first,
                 const GruConfiguration& configuration);

  const void* data() const { return data_; }

 private:
  const void* data_;
  Scratch packed_, converted_;
  std::shared_ptr<void> kept_;
};

// The gradients of the same: cuDNN adds into zeros, `finish` brings them to their views in float32.
class GruGradientBlock {
 public:
  // Without views they stay in `space`, which is aligned, in cuDNN's layout.
  GruGradientBlock(CudaDevice& device, const std::vector<View>* views, int64_t first,
                   const GruConfiguration& configuration, float* space);

  // Elements from the beginning of `space` to that of the next call's.
  static int64_t spaceFor(const GruConfiguration& configuration);

  void* data() const { return data_; }
  // `factor`: one number on the device by which each gradient is multiplied, or null.
  void finish(const float* factor);

 private:
  CudaDevice& device_;
  const std::vector<View>* views_;
  int64_t first_;
  const GruConfiguration& configuration_;
  float* whole_;  // in float32, in cuDNN's layout
  bool inPlace_;
  Scratch packed_, half_;
  void* data_;
};

// Where all of the views lie at the layout's offsets in one buffer, the beginning of the block; else null.
float* blockOf(const std::vector<View>& views, int64_t first, const GruLayout& layout);

}  // namespace cudnn_gru
