#include "platform/control_group.h"

#include <fstream>

namespace cudnn_gru::platform {
namespace {

constexpr const char* kRoot = "/sys/fs/cgroup";

bool lists(const std::string& controllers, const std::string& controller) {
  return ("," + controllers + ",").find("," + controller + ",") != std::string::npos;
}

// The path of this process's group; version 2 has no controllers. False if it has none.
bool findGroup(const std::string& controller, std::string& path) {
  std::ifstream groups("/proc/self/cgroup");  // lines of the form id:controllers:path
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? !controllers.empty() : !lists(controllers, controller)) continue;
    path = line.substr(second + 1);
    return true;
  }
  return false;
}

std::vector<std::string> readUpwards(const std::string& root, std::string path, const std::string& name) {
  std::vector<std::string> values;
  if (path == "/") path.clear();
  for (;;) {
    std::ifstream file(root + path + "/" + name);
    std::string line;
    if (std::getline(file, line)) values.push_back(line);
    if (path.empty()) return values;
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

}  // namespace

std::vector<std::string> controlGroupV1(const std::string& controller, const std::string& name) {
  std::string path;
  if (!findGroup(controller, path)) return {};
  return readUpwards(std::string(kRoot) + "/" + controller, path, name);
}

std::vector<std::string> controlGroupV2(const std::string& name) {
  std::string path;
  if (!findGroup("", path)) return {};
  return readUpwards(kRoot, path, name);
}

}  // namespace cudnn_gru::platform
