#include "addon/registry.h"

#include "device/backends.h"

namespace cudnn_gru {

const std::vector<const Backend*>& backends() {
  static const std::vector<const Backend*> all{&cudaBackend(), &cpuBackend()};
  return all;
}

std::shared_ptr<Device> openDevice(const std::string& name) {
  const size_t colon = name.find(':');
  const std::string backendName = name.substr(0, colon);
  int index = 0;
  if (colon != std::string::npos) {
    const std::string digits = name.substr(colon + 1);
    if (digits.empty() || digits.size() > 4 || digits.find_first_not_of("0123456789") != std::string::npos)
      throw Error("ERR_UNSUPPORTED", "device '" + name + "': expected a number after ':'");
    index = std::stoi(digits);
  }
  for (const Backend* backend : backends())
    if (backendName == backend->name) return backend->open(index);
  throw Error("ERR_UNSUPPORTED", "device '" + name + "': expected 'cpu', 'cuda' or 'cuda:<number>'");
}

}  // namespace cudnn_gru
