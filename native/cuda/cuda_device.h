#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>

#include "cuda/completions.h"
#include "cuda/cuda_status.h"
#include "cuda/device_memory.h"
#include "cuda/kernels/index_fault.h"
#include "cuda/libraries/libraries.h"
#include "cuda/matrix_product.h"
#include "cuda/staging.h"
#include "device/device.h"
#include "device/scratch.h"

namespace cudnn_gru {

class GruCudnn;

// The CUDA backend: one GPU, one stream. Each operation is defined in native/cuda/<subject>_cuda.cc and launches into
// the stream; none waits for the GPU. Kernels are plain functions of native/cuda/kernels:
//   cudaError_t kernels::fill(float* out, int64_t count, float value, cudaStream_t stream);
// called as CUDNN_GRU_CUDA(kernels::fill(..., stream())).
class CudaDevice : public Device {
 public:
  explicit CudaDevice(int index);
  ~CudaDevice() override;

  void enterThread() override;
  void stop() override;

  void* allocate(size_t bytes) override;
  void release(void* data, size_t bytes) noexcept override;
  MemoryUse memoryUse() const override;
  size_t bytesInUse() const override;
  void releaseCache() override;

  bool sharesHostMemory() const override { return false; }
  void copyFromHost(void* destination, const void* source, size_t bytes) override;
  void copyToHost(void* destination, const void* source, size_t bytes, CopyDone done) override;
  void finish(CopyDone done) override;

  GruLayout gruLayout(int64_t inputSize, int64_t hiddenSize, int64_t layers, int64_t directions,
                      bool hasBias) const override;

  int64_t mostGruSteps() const override;

  std::vector<std::string> choices() const override;
  void followChoices(const std::vector<std::string>& lines) override;

#define CUDNN_GRU_CUDA_METHOD(name, Type) void name(const ops::Type& operation) override;
  CUDNN_GRU_OPERATIONS(CUDNN_GRU_CUDA_METHOD)
#undef CUDNN_GRU_CUDA_METHOD

  int index() const { return index_; }
  const std::string& name() const { return name_; }  // 'NVIDIA H200'
  cudaStream_t stream() const { return stream_; }
  int computeCapability() const { return computeCapability_; }  // 75 is 7.5
  int multiprocessors() const { return multiprocessors_; }
  // What kernels report into, as the GPU sees it.
  IndexFault* indexFault() const { return indexFault_; }

  // Made at the first use, on the queue's thread.
  cublasLtHandle_t cublasLtHandle();
  MatrixProducts& matrixProducts();

 private:
  CudaDevice(int index, std::nullptr_t);
  std::optional<Error> takeIndexFault();
  CopyDone reportingFaults(CopyDone done);

  int index_;
  std::string name_;
  int computeCapability_ = 0, multiprocessors_ = 0;
  cudaStream_t stream_ = nullptr;
  IndexFault* indexFault_ = nullptr;
  cublasLtHandle_t cublasLt_ = nullptr;
  std::unique_ptr<MatrixProducts> matrixProducts_;
  std::unique_ptr<GruCudnn> gru_;
  // In the order in which they need each other.
  std::unique_ptr<DeviceMemory> memory_;
  std::unique_ptr<Staging> staging_;
  std::unique_ptr<Completions> completions_;
};

}  // namespace cudnn_gru
