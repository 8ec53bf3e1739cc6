#include <string>

#include "cuda/cuda_device.h"
#include "device/backends.h"

namespace cudnn_gru {
namespace {

constexpr int kOldestMajor = 7, kOldestMinor = 5;  // compute capability

std::string statusText(cudaError_t status) {
  return std::string(cudaGetErrorName(status)) + ", " + cudaGetErrorString(status);
}

// How many GPUs the CUDA runtime shows (CUDA_VISIBLE_DEVICES counts); if none, the reason.
int countDevices(std::string& reason) {
  if (!libraries().reason.empty()) {
    reason = libraries().reason;
    return 0;
  }
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return count;
  cudaGetLastError();
  reason =
      status == cudaErrorInsufficientDriver
          ? "there is no NVIDIA GPU, or its driver is too old: install driver 580 or newer (" + statusText(status) + ")"
          : "there is no NVIDIA GPU that this process may use (CUDA_VISIBLE_DEVICES?): " + statusText(status);
  return 0;
}

DeviceReport describe(int index) {
  DeviceReport report;
  report.name = "cuda:" + std::to_string(index);
  report.details = libraries().details;
  cudaDeviceProp properties{};
  const cudaError_t status = cudaGetDeviceProperties(&properties, index);
  if (status != cudaSuccess) {
    cudaGetLastError();
    report.reason = "the GPU does not answer: " + statusText(status);
    return report;
  }
  const std::string capability = std::to_string(properties.major) + "." + std::to_string(properties.minor);
  report.description = std::string(properties.name) + ", compute capability " + capability + ", " +
                       std::to_string(properties.totalGlobalMem >> 20) + " MiB, " + libraries().description;
  if (properties.major < kOldestMajor || (properties.major == kOldestMajor && properties.minor < kOldestMinor))
    report.reason = "compute capability " + capability + " is too old, " + std::to_string(kOldestMajor) + "." +
                    std::to_string(kOldestMinor) + " is needed; use device 'cpu'";
  int pools = 0;
  if (report.reason.empty() &&
      (cudaDeviceGetAttribute(&pools, cudaDevAttrMemoryPoolsSupported, index) != cudaSuccess || !pools)) {
    cudaGetLastError();
    report.reason =
        "the GPU has no memory pools (cudaDevAttrMemoryPoolsSupported is 0), as a virtual GPU without "
        "unified memory; use device 'cpu'";
  }
  report.available = report.reason.empty();
  return report;
}

std::vector<DeviceReport> devices() {
  DeviceReport none;
  none.name = "cuda";
  const int count = countDevices(none.reason);
  std::vector<DeviceReport> reports;
  for (int index = 0; index < count; ++index) reports.push_back(describe(index));
  if (reports.empty()) {
    none.details = libraries().details;
    reports.push_back(none);
  }
  return reports;
}

std::shared_ptr<Device> open(int index) {
  const std::string name = "device 'cuda:" + std::to_string(index) + "': ";
  std::string reason;
  const int count = countDevices(reason);
  if (count > 0 && index >= count)
    reason = "there are " + std::to_string(count) + " (cuda:0 to cuda:" + std::to_string(count - 1) + ")";
  else if (count > 0)
    reason = describe(index).reason;
  if (!reason.empty()) throw Error("ERR_DEVICE_UNAVAILABLE", name + reason);
  return std::make_shared<CudaDevice>(index);
}

}  // namespace

const Backend& cudaBackend() {
  static const Backend backend{"cuda", devices, open};
  return backend;
}

}  // namespace cudnn_gru
