#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/launch.cuh"

namespace cudnn_gru::kernels {
namespace {

__device__ void convert(float x, __half& out) { out = __float2half_rn(x); }
__device__ void convert(float x, __nv_bfloat16& out) { out = __float2bfloat16_rn(x); }
__device__ void convert(__half x, float& out) { out = __half2float(x); }
__device__ void convert(__nv_bfloat16 x, float& out) { out = __bfloat162float(x); }

// Kernels

template <class From, class To>
__global__ void convertElements(const From* x, To* out, int64_t count) {
  for (int64_t i = gridThread(); i < count; i += gridThreads()) convert(x[i], out[i]);
}

template <class From, class To>
cudaError_t launchConversion(const From* x, To* out, int64_t count, cudaStream_t stream) {
  return launch(convertElements<From, To>, blocksFor(count), kThreads, 0, stream, x, out, count);
}

}  // namespace

// Launchers

cudaError_t toFloat16(const float* x, void* out, int64_t count, cudaStream_t stream) {
  return launchConversion(x, static_cast<__half*>(out), count, stream);
}

cudaError_t toBfloat16(const float* x, void* out, int64_t count, cudaStream_t stream) {
  return launchConversion(x, static_cast<__nv_bfloat16*>(out), count, stream);
}

cudaError_t fromFloat16(const void* x, float* out, int64_t count, cudaStream_t stream) {
  return launchConversion(static_cast<const __half*>(x), out, count, stream);
}

cudaError_t fromBfloat16(const void* x, float* out, int64_t count, cudaStream_t stream) {
  return launchConversion(static_cast<const __nv_bfloat16*>(x), out, count, stream);
}

}  // namespace cudnn_gru::kernels
