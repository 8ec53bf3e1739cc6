#include "device/backends.h"

namespace cudnn_gru {

namespace {

constexpr const char* kReason =
    "this binary was built without CUDA; build from source with a CUDA toolkit, or use device 'cpu'";

std::vector<DeviceReport> devices() {
  DeviceReport report;
  report.name = "cuda";
  report.reason = kReason;
  return {report};
}

std::shared_ptr<Device> open(int) { throw Error("ERR_DEVICE_UNAVAILABLE", std::string("device 'cuda': ") + kReason); }

}  // namespace

const Backend& cudaBackend() {
  static const Backend backend{"cuda", devices, open};
  return backend;
}

}  // namespace cudnn_gru
