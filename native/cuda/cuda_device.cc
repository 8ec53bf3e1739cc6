#include "cuda/cuda_device.h"

#include <string>

#include "cuda/gru_cudnn.h"

namespace cudnn_gru {

CudaDevice::CudaDevice(int index, std::nullptr_t) : index_(index) {}

// Delegates, so that the destructor takes back what was made before a failure.
CudaDevice::CudaDevice(int index) : CudaDevice(index, nullptr) {
  CUDNN_GRU_CUDA(cudaSetDevice(index_));
  CUDNN_GRU_CUDA(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, index_));
  cudaDeviceProp properties{};
  CUDNN_GRU_CUDA(cudaGetDeviceProperties(&properties, index_));
  name_ = properties.name;
  computeCapability_ = properties.major * 10 + properties.minor;
  CUDNN_GRU_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  memory_ = std::make_unique<DeviceMemory>(index_, stream_);
  void* fault = nullptr;
  CUDNN_GRU_CUDA(cudaHostAlloc(&fault, sizeof(IndexFault), cudaHostAllocMapped));
  indexFault_ = new (fault) IndexFault{};
  gru_ = std::make_unique<GruCudnn>(*this);
  completions_ = std::make_unique<Completions>(index_, stream_);
  staging_ = std::make_unique<Staging>(stream_, *completions_);
}

CudaDevice::~CudaDevice() {
  cudaSetDevice(index_);
  completions_.reset();
  staging_.reset();
  gru_.reset();
  memory_.reset();
  matrixProducts_.reset();
  if (cublasLt_) cublasLt().cublasLtDestroy(cublasLt_);
  if (indexFault_) cudaFreeHost(indexFault_);
  if (stream_) cudaStreamDestroy(stream_);
}

void CudaDevice::enterThread() { cudaSetDevice(index_); }
void CudaDevice::stop() { completions_->stop(); }

void* CudaDevice::allocate(size_t bytes) { return memory_->allocate(bytes); }
void CudaDevice::release(void* data, size_t bytes) noexcept { memory_->release(data, bytes); }
MemoryUse CudaDevice::memoryUse() const { return memory_->use(); }
size_t CudaDevice::bytesInUse() const { return memory_->bytesInUse(); }
void CudaDevice::releaseCache() { memory_->clear(); }

void CudaDevice::copyFromHost(void* destination, const void* source, size_t bytes) {
  staging_->upload(destination, source, bytes);
}

void CudaDevice::copyToHost(void* destination, const void* source, size_t bytes, CopyDone done) {
  staging_->download(destination, source, bytes, reportingFaults(std::move(done)));
}

void CudaDevice::finish(CopyDone done) { completions_->add(true, reportingFaults(std::move(done))); }

cublasLtHandle_t CudaDevice::cublasLtHandle() {
  if (!cublasLt_) CUDNN_GRU_CUDA(cublasLt().cublasLtCreate(&cublasLt_));
  return cublasLt_;
}

MatrixProducts& CudaDevice::matrixProducts() {
  if (!matrixProducts_) matrixProducts_ = std::make_unique<MatrixProducts>(*this);
  return *matrixProducts_;
}

CopyDone CudaDevice::reportingFaults(CopyDone done) {
  return [this, done = std::move(done)](const std::optional<Error>& error) { done(error ? error : takeIndexFault()); };
}

std::optional<Error> CudaDevice::takeIndexFault() {
  const int kind = indexFault_->kind;
  if (kind == IndexFault::kNone) return std::nullopt;
  const uint64_t positionIndex = indexFault_->positionIndex;
  const std::string index = std::to_string(int32_t(positionIndex)), position = std::to_string(positionIndex >> 32);
  const std::string limit = std::to_string(indexFault_->limit), last = std::to_string(indexFault_->limit - 1);
  indexFault_->kind = IndexFault::kNone;
  const std::string classes = "is not one of the " + limit + " classes (0.." + last + ")";
  std::string message;
  switch (kind) {
    case IndexFault::kEmbeddingId:
      message = "embedding: id " + index + " at index " + position + " is outside the vocabulary of " + limit +
                " (0.." + last + ")";
      break;
    case IndexFault::kCtcLabel:
      message = "ctc: label " + index + " of row " + position + " " + classes + " other than the blank";
      break;
    default:
      message = "crossEntropy: target " + index + " of row " + position + " " + classes;
  }
  return Error("ERR_INDEX_OUT_OF_RANGE", message);
}

}  // namespace cudnn_gru
