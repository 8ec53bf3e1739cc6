#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "platform/dynamic_library.h"

namespace cudnn_gru {

// The sub-libraries of a cuDNN 9 that a GRU needs: libcudnn_graph, libcudnn_ops and libcudnn_adv, each of which needs
// those before it.
//
// libcudnn.so.9 itself, the shim, only passes calls on. It looks for the library that holds a function at the
// function's first call, by name, on LD_LIBRARY_PATH before its own folder, and ends the process when that cannot be
// opened. So it only shows where cuDNN lies; nothing of it is called, and what it would look for is opened here by full
// path.
class CudnnSublibraries {
 public:
  // `shim`: where libcudnn.so.9 lies.
  explicit CudnnSublibraries(const std::string& shim) : shim_(shim) {}

  // Opens libcudnn_graph and reads the versions. Both answer what is wrong, empty if nothing.
  std::string openGraph();
  // Opens the others, when all else is known to fit: from here on the system keeps them in the process even when they
  // are closed, and would bind those of any other cuDNN to them.
  std::string openRest();
  void close();

  const std::string& shim() const { return shim_; }
  size_t version() const { return version_; }            // 91400
  int cudaMajor() const { return int(cudart_ / 1000); }  // what it is made for
  // A function of any of the three, after openRest; nullptr if there is none.
  void* symbol(const char* name) const { return parts_.back().symbol(name); }
  std::vector<std::string> paths() const;

 private:
  std::string open(const char* part);
  std::string remedy() const;

  std::string shim_;
  std::vector<platform::DynamicLibrary> parts_;
  size_t version_ = 0, cudart_ = 0;
};

}  // namespace cudnn_gru
