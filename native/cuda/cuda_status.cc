#include "cuda/cuda_status.h"

#include <map>
#include <mutex>
#include <string>

#include "cuda/libraries/libraries.h"
#include "device/error.h"

namespace cudnn_gru {
namespace {

// After one of these every later call of this process to the same GPU fails: the contents of its memory are gone.
bool isSticky(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorIllegalInstruction:
    case cudaErrorHardwareStackError:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorContextIsDestroyed:
    case cudaErrorContained:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

// The first cause, by GPU: it concerns every device object on it, in all environments of the process.
std::mutex lostMutex;
std::map<int, std::string> lost;

std::string place(const char* expression, const char* file, int line) {
  std::string path(file);
  const size_t root = path.rfind("native/");
  if (root != std::string::npos) path = path.substr(root);
  return std::string(expression) + " (" + path + ":" + std::to_string(line) + ")";
}

// cuDNN and cuBLASLt have a CUDA runtime of their own, whose errors ours does not know: asks the driver, without
// waiting.
cudaError_t stateOfDevice() {
  const cudaError_t status = cudaStreamQuery(nullptr);
  if (status != cudaErrorNotReady) return status;
  cudaGetLastError();  // which is no error, but remembered like one
  return cudaSuccess;
}

// With the condition that failed, where cuDNN names one, and what the user can do.
std::string textOf(cudnnStatus_t status) {
  std::string text = cudnn().cudnnGetErrorString(status);
  char condition[512] = "";
  cudnn().cudnnGetLastErrorString(condition, sizeof condition);
  if (*condition) text += " (" + std::string(condition) + ")";
  if (status == CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH)
    text +=
        ", this process has opened libraries of two cuDNNs: name the folder of one in CUDNN_GRU_LIBRARY_PATH and have "
        "no other on LD_LIBRARY_PATH";
  if (status == CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED)
    text += ", a library of cuDNN is missing or damaged: install all of it into one folder";
  return text;
}

}  // namespace

void checkCuda(cudaError_t status, const char* expression, const char* file, int line) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // the runtime repeats an error that is not sticky until it is asked for
  const std::string message =
      std::string(cudaGetErrorName(status)) + ", " + cudaGetErrorString(status) + ": " + place(expression, file, line);
  if (status == cudaErrorMemoryAllocation) throw Error("ERR_OUT_OF_MEMORY", message);
  int device = 0;
  cudaGetDevice(&device);
  std::lock_guard<std::mutex> lock(lostMutex);
  if (isSticky(status)) lost.emplace(device, message);
  const auto cause = lost.find(device);
  if (cause != lost.end())
    throw Error("ERR_DEVICE_LOST", "cuda:" + std::to_string(device) +
                                       " can no longer be used by this process; the first cause was " + cause->second);
  throw Error("ERR_INTERNAL", message);
}

void checkCuda(cublasStatus_t status, const char* expression, const char* file, int line) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  checkCuda(stateOfDevice(), expression, file, line);
  throw Error(status == CUBLAS_STATUS_ALLOC_FAILED ? "ERR_OUT_OF_MEMORY" : "ERR_INTERNAL",
              std::string(cublasLt().cublasLtGetStatusString(status)) + ": " + place(expression, file, line));
}

void checkCuda(cudnnStatus_t status, const char* expression, const char* file, int line) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  checkCuda(stateOfDevice(), expression, file, line);
  // For a refusal it names no condition; what it would tell is of an earlier error.
  if (status / 1000 == CUDNN_STATUS_NOT_SUPPORTED / 1000)
    throw Error("ERR_UNSUPPORTED",
                std::string(cudnn().cudnnGetErrorString(status)) + ": " + place(expression, file, line));
  const bool memory = status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
                      status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  const bool installation =
      status == CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH || status == CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED;
  throw Error(memory         ? "ERR_OUT_OF_MEMORY"
              : installation ? "ERR_DEVICE_UNAVAILABLE"
                             : "ERR_INTERNAL",
              textOf(status) + ": " + place(expression, file, line));
}

}  // namespace cudnn_gru
