#include "cuda/libraries/cudnn_sublibraries.h"

#include <cudnn.h>

#include <thread>

#include "cuda/libraries/library_search.h"

namespace cudnn_gru {
namespace {

using platform::DynamicLibrary;

#define CUDNN_GRU_FIND(library, name) reinterpret_cast<decltype(&::name)>((library).symbol(#name))

}  // namespace

std::string CudnnSublibraries::remedy() const { return wheelRemedy(cudaMajor() == 12 ? 12 : 13); }

std::string CudnnSublibraries::open(const char* part) {
  const std::string name = platform::libraryFileName(part, 9), path = besideLibrary(shim_, name);
  if (path.empty()) return shim_ + ": " + name + " is not beside it, and cuDNN needs all of its libraries: " + remedy();
  std::string error;
  const DynamicLibrary library = DynamicLibrary::open(path, error);
  if (library) {
    parts_.push_back(library);
    return "";
  }
  // The system's loader names the library that is at fault.
  if (error.find("cudnn") == std::string::npos)
    return path + " needs a library that is not there (" + error +
           "): install it; libz.so.1 is in the package zlib1g or zlib";
  return path + " cannot be opened (" + error + "), as if it were damaged or of another version: " + remedy();
}

std::string CudnnSublibraries::openGraph() {
  const std::string problem = open("cudnn_graph");
  if (!problem.empty()) return problem;
  const auto version = CUDNN_GRU_FIND(parts_[0], cudnnGetVersion);
  const auto cudart = CUDNN_GRU_FIND(parts_[0], cudnnGetCudartVersion);
  if (!version || !cudart) return parts_[0].path() + ": lacks cudnnGetVersion or cudnnGetCudartVersion";
  // On a thread that ends: what these calls set up for their thread would keep the library in the process.
  std::thread([&] {
    version_ = version();
    cudart_ = cudart();
  }).join();
  return "";
}

std::string CudnnSublibraries::openRest() {
  for (const char* part : {"cudnn_ops", "cudnn_adv"})
    if (std::string problem = open(part); !problem.empty()) return problem;
  const DynamicLibrary &graph = parts_[0], &ops = parts_[1], &adv = parts_[2];
  // What a library needs is found by its name alone, and the first of that name in the process is taken.
  const auto isOwn = [&](const DynamicLibrary& part, const char* function) {
    return adv.symbol(function) == part.symbol(function);
  };
  if (!isOwn(graph, "cudnnGetVersion") || !isOwn(ops, "cudnnCreateTensorDescriptor"))
    return shim_ +
           " cannot be used beside another cuDNN that this process has opened before: name the folder of only one in "
           "CUDNN_GRU_LIBRARY_PATH";
  for (const auto check : {CUDNN_GRU_FIND(adv, cudnnOpsVersionCheck), CUDNN_GRU_FIND(adv, cudnnAdvVersionCheck)})
    if (check && check() != CUDNN_STATUS_SUCCESS)
      return shim_ + ": the libraries beside it are of different versions of cuDNN: " + remedy();
  return "";
}

void CudnnSublibraries::close() {
  for (; !parts_.empty(); parts_.pop_back()) parts_.back().unload();
}

std::vector<std::string> CudnnSublibraries::paths() const {
  std::vector<std::string> paths;
  for (const DynamicLibrary& part : parts_) paths.push_back(part.path());
  return paths;
}

}  // namespace cudnn_gru
