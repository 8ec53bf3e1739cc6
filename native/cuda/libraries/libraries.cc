#include "cuda/libraries/libraries.h"

#include <algorithm>

#include "cuda/libraries/cudnn_sublibraries.h"
#include "cuda/libraries/library_search.h"
#include "platform/dynamic_library.h"

namespace cudnn_gru {
namespace {

using platform::DynamicLibrary;
using platform::libraryFileName;

constexpr int kOldestDriver = 13000;  // what the CUDA runtime inside the addon needs
constexpr size_t kOldestCudnn = 90000;
constexpr const char* kDriverRemedy = "install NVIDIA driver 580 or newer";

std::string cudaVersion(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

template <class Library, class Function>
void resolve(const Library& library, const char* name, Function& function, std::string& missing) {
  function = reinterpret_cast<Function>(library.symbol(name));
  if (!function) missing += (missing.empty() ? "" : ", ") + std::string(name);
}

std::string missingSymbols(const DynamicLibrary& library, DriverLibrary& table) {
  std::string missing;
#define CUDNN_GRU_RESOLVE(name) resolve(library, #name, table.name, missing);
  CUDNN_GRU_DRIVER_FUNCTIONS(CUDNN_GRU_RESOLVE)
  return missing;
}

std::string missingSymbols(const DynamicLibrary& library, CublasLtLibrary& table) {
  std::string missing;
  CUDNN_GRU_CUBLAS_LT_FUNCTIONS(CUDNN_GRU_RESOLVE)
  return missing;
}

std::string missingSymbols(const CudnnSublibraries& library, CudnnLibrary& table) {
  std::string missing;
  CUDNN_GRU_CUDNN_FUNCTIONS(CUDNN_GRU_RESOLVE)
#undef CUDNN_GRU_RESOLVE
  return missing;
}

class Opener {
 public:
  Libraries open() {
    // Both read it when they are loaded; without it the bits of one call may vary between runs.
    platform::setEnvironmentVariableIfUnset("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
    folders_ = libraryFolders();
    for (const std::string& folder : folders_)
      note("looked in " + (folder.empty() ? "the system's own places" : folder));
    libraries_.reason = openDriver();
    if (libraries_.reason.empty())
      libraries_.reason = openCudnn();
    else
      note("cuDNN and cuBLAS were not looked for: they need the driver");
    if (libraries_.reason.empty()) libraries_.description = describeVersions();
    return std::move(libraries_);
  }

 private:
  void note(const std::string& line) {
    auto& details = libraries_.details;
    if (std::find(details.begin(), details.end(), line) == details.end()) details.push_back(line);
  }

  // Opens a file and fills its table; on failure an empty library and what is wrong with it.
  template <class Table>
  DynamicLibrary openFile(const std::string& path, Table& table, std::string& problem) {
    DynamicLibrary library = DynamicLibrary::open(path, problem);
    if (!library) {
      note(path + ": " + problem);
      return library;
    }
    const std::string missing = missingSymbols(library, table);
    if (missing.empty()) {
      note(library.path() + ": opened");
      return library;
    }
    problem = library.path() + ": lacks " + missing;
    note(problem);
    table = Table();
    library.unload();
    return library;
  }

  std::string openDriver() {
    const std::string name = libraryFileName("cuda", 1);
    std::vector<std::string> folders = folders_;
    if (std::find(folders.begin(), folders.end(), "") == folders.end()) folders.push_back("");
    folders.push_back("/usr/lib/wsl/lib");
    std::string problem;
    for (const std::string& path : candidates(folders, name)) {
      if (!openFile(path, libraries_.driver, problem)) continue;
      if (libraries_.driver.cuDriverGetVersion(&driverVersion_) != 0) driverVersion_ = 0;
      if (driverVersion_ >= kOldestDriver) return "";
      return "the NVIDIA driver supports CUDA " + cudaVersion(driverVersion_) + ", and CUDA " +
             cudaVersion(kOldestDriver) + " is needed: " + kDriverRemedy;
    }
    return "no NVIDIA driver was found (" + problem + "): " + kDriverRemedy;
  }

  // The first cuDNN that can be used with a cuBLASLt for the same major version of CUDA.
  std::string openCudnn() {
    const std::string name = libraryFileName("cudnn", 9);
    std::string firstProblem;
    for (const std::string& path : candidates(folders_, name)) {
      bool isFile = path != name;
      const std::string problem = tryCudnn(path, isFile);
      if (problem.empty()) return "";
      note(problem);
      if (isFile && firstProblem.empty()) firstProblem = problem;
    }
    return firstProblem.empty() ? "cuDNN 9 (" + name + ") was not found: " + wheelRemedy(13) : firstProblem;
  }

  // What is wrong with a cuDNN; if nothing, it and its cuBLASLt are in the tables. `isFile` is set where there is one.
  std::string tryCudnn(const std::string& path, bool& isFile) {
    std::string problem;
    DynamicLibrary library = DynamicLibrary::open(path, problem);
    if (!library) return problem;
    isFile = true;
    CudnnSublibraries parts(library.path());
    library.unload();
    problem = parts.openGraph();
    if (problem.empty()) problem = openCublasLt(parts);
    if (problem.empty()) problem = parts.openRest();
    if (problem.empty()) {
      const std::string missing = missingSymbols(parts, libraries_.cudnn);
      if (!missing.empty()) problem = parts.shim() + ": lacks " + missing + ": " + wheelRemedy(13);
    }
    if (problem.empty()) {
      for (const std::string& part : parts.paths()) note(part + ": opened");
      return "";
    }
    libraries_.cudnn = CudnnLibrary();
    libraries_.cublasLt = CublasLtLibrary();
    parts.close();
    return problem;
  }

  // What is wrong with a cuDNN's versions; if nothing, the cuBLASLt that goes with it has been opened.
  std::string openCublasLt(const CudnnSublibraries& parts) {
    const std::string cudnn = "cuDNN " + cudnnVersion(parts.version()) + " (" + parts.shim() + ")";
    if (parts.version() < kOldestCudnn) return cudnn + " is too old, 9.0 is needed: " + wheelRemedy(13);
    const int major = parts.cudaMajor();
    if (major != 12 && major != 13)
      return cudnn + " is for CUDA " + std::to_string(major) +
             ", and one for CUDA 13 or 12 is needed: " + wheelRemedy(13);

    const std::string name = libraryFileName("cublasLt", major);
    std::string firstProblem, problem;
    bool anyFile = false;
    for (const std::string& path : candidates(folders_, name)) {
      DynamicLibrary library = openFile(path, libraries_.cublasLt, problem);
      const bool isFile = library || path != name;
      if (library) {
        const int its = int(libraries_.cublasLt.cublasLtGetCudartVersion() / 1000);
        if (its == major) return "";
        problem = path + " is for CUDA " + std::to_string(its) + ", " + cudnn + " for CUDA " + std::to_string(major) +
                  ": " + wheelRemedy(major);
        note(problem);
        libraries_.cublasLt = CublasLtLibrary();
        library.unload();
      }
      if (isFile && !anyFile) firstProblem = problem;
      anyFile |= isFile;
    }
    if (anyFile) return firstProblem;
    for (int other : {12, 13})
      for (const std::string& path : candidates(folders_, libraryFileName("cublasLt", other)))
        if (other != major && path != libraryFileName("cublasLt", other))
          return "the majors do not match: " + cudnn + " is for CUDA " + std::to_string(major) +
                 ", and the only cuBLAS is for CUDA " + std::to_string(other) + " (" + path +
                 "): " + wheelRemedy(major);
    return "cuBLAS for CUDA " + std::to_string(major) + " (" + name + "), which " + cudnn +
           " needs, was not found: " + wheelRemedy(major);
  }

  std::string describeVersions() const {
    const size_t blas = libraries_.cublasLt.cublasLtGetVersion();
    return "driver for CUDA " + cudaVersion(driverVersion_) + ", cuDNN " +
           cudnnVersion(libraries_.cudnn.cudnnGetVersion()) + ", cuBLAS " + std::to_string(blas / 10000) + "." +
           std::to_string(blas / 100 % 100);
  }

  Libraries libraries_;
  std::vector<std::string> folders_;
  int driverVersion_ = 0;
};

}  // namespace

const Libraries& libraries() {
  static const Libraries all = Opener().open();
  return all;
}

}  // namespace cudnn_gru
