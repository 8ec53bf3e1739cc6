#include "cuda/libraries/library_search.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <sstream>
#include <system_error>

#include "platform/dynamic_library.h"

namespace cudnn_gru {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 8;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Entries of a folder whose names begin with `prefix`, the last in the order of names first (cuda-13 before cuda-12). A
// folder that is missing or may not be read has none.
std::vector<fs::path> entries(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().filename().string().rfind(prefix, 0) == 0) found.push_back(entry->path());
  std::sort(found.begin(), found.end(), std::greater<fs::path>());
  return found;
}

class Folders {
 public:
  void add(const fs::path& folder) {
    const std::string name = folder.string();
    if (std::find(folders_.begin(), folders_.end(), name) == folders_.end()) folders_.push_back(name);
  }
  void addToolkit(const fs::path& root) {
    if (root.empty()) return;
    add(root);
    for (const char* below :
         {"lib64", "lib", "bin", "bin/x64", "lib/x64", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"})
      add(root / below);
  }
  // Wheels of a Python whose libraries lie below `lib`: lib/python3.11/site-packages/nvidia/cudnn/lib.
  void addWheels(const fs::path& lib) {
    for (const fs::path& python : entries(lib, "python3"))
      for (const char* packages : {"site-packages", "dist-packages"})
        for (const fs::path& wheel : entries(python / packages / "nvidia", "")) add(wheel / "lib");
  }
  // Of the `python3` in a folder of programs: beside that folder, and beside what it is a link to, for a link to a
  // virtual environment's.
  void addPython(const fs::path& programs) {
    fs::path python = programs / "python3";
    std::error_code error;
    for (int links = 0; links < kMostLinks && fs::exists(python, error); ++links) {
      addWheels(python.parent_path().parent_path() / "lib");
      if (!fs::is_symlink(python, error)) return;
      python = (python.parent_path() / fs::read_symlink(python, error)).lexically_normal();
    }
  }
  std::vector<std::string> take() { return std::move(folders_); }

 private:
  std::vector<std::string> folders_;
};

}  // namespace

std::vector<std::string> libraryFolders() {
  Folders folders;
  const std::string own = variable("CUDNN_GRU_LIBRARY_PATH");
  if (!own.empty()) {
    std::istringstream list(own);
    for (std::string folder; std::getline(list, folder, platform::kPathListSeparator);)
      if (!folder.empty()) folders.add(fs::absolute(folder));
    return folders.take();
  }
  for (const char* name : {"CUDNN_PATH", "CUDA_PATH", "CUDA_HOME"}) folders.addToolkit(variable(name));
  folders.add("");
  for (const fs::path& toolkit : entries("/usr/local", "cuda")) folders.addToolkit(toolkit);
  const std::string environment = variable("VIRTUAL_ENV"), conda = variable("CONDA_PREFIX"), home = variable("HOME");
  if (!environment.empty()) folders.addWheels(fs::path(environment) / "lib");
  if (!conda.empty()) {
    folders.add(fs::path(conda) / "lib");
    folders.addWheels(fs::path(conda) / "lib");
  }
  std::istringstream programs(variable("PATH"));
  for (std::string folder; std::getline(programs, folder, platform::kPathListSeparator);)
    if (fs::path(folder).is_absolute()) folders.addPython(folder);
  if (!home.empty()) folders.addWheels(fs::path(home) / ".local/lib");
  folders.addWheels("/usr/local/lib");
  folders.addWheels("/usr/lib");
  return folders.take();
}

std::vector<std::string> candidates(const std::vector<std::string>& folders, const std::string& fileName) {
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    if (folder.empty()) {
      paths.push_back(fileName);
      continue;
    }
    const fs::path path = fs::path(folder) / fileName;
    std::error_code error;
    if (fs::exists(path, error)) paths.push_back(path.string());
  }
  return paths;
}

std::string besideLibrary(const std::string& library, const std::string& fileName) {
  std::error_code error;
  for (const fs::path& path : {fs::path(library), fs::canonical(library, error)}) {
    const fs::path exact = path.parent_path() / fileName;
    if (fs::exists(exact, error)) return exact.string();
    const std::vector<fs::path> fuller = entries(path.parent_path(), fileName + ".");
    if (!fuller.empty()) return fuller.front().string();
  }
  return "";
}

std::string wheelRemedy(int cudaMajor) {
  const std::string cuda = std::to_string(cudaMajor);
  return "install it, for instance by `python3 -m pip install nvidia-cudnn-cu" + cuda + " nvidia-cublas" +
         (cudaMajor == 12 ? "-cu12" : "") +
         "`, and if it lies in no usual place name its folder in CUDNN_GRU_LIBRARY_PATH";
}

}  // namespace cudnn_gru
