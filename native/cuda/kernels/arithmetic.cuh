#pragma once

namespace cudnn_gru::kernels {

struct Plus {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Minus {
  __device__ float operator()(float a, float b) const { return a - b; }
};
struct Times {
  __device__ float operator()(float a, float b) const { return a * b; }
};
struct Over {
  __device__ float operator()(float a, float b) const { return a / b; }
};

}  // namespace cudnn_gru::kernels
