#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cuda/gru_descriptors.h"

namespace cudnn_gru {

// One way to compute a GRU: cuDNN's algorithm, and how the sequences lie inside the call.
struct GruMethod {
  cudnnRNNAlgo_t algorithm;
  GruDataLayout layout;

  bool operator==(const GruMethod& other) const { return algorithm == other.algorithm && layout == other.layout; }
};

std::string nameOf(const GruMethod& method);  // 'persistStatic packed'
std::optional<GruMethod> methodNamed(const std::string& name);

// What was measured as the fastest method for each kind of call, in this process and, through a file in the user's
// cache folder, in those before: a choice once made is made again, so that a seed reproduces its bits. One record is a
// line 'call\tmethod'. The file is CUDNN_GRU_CACHE/gru-methods.tsv; the folder's default is the user's cache folder's
// cudnn-gru, and `off` keeps no file. Any thread may call.
class GruChoices {
 public:
  static GruChoices& instance();

  std::optional<GruMethod> find(const std::string& call);
  void record(const std::string& call, const GruMethod& method);

  std::vector<std::string> lines();
  // Lines of elsewhere come before what was known; one that is not understood is passed over.
  void follow(const std::vector<std::string>& lines);

 private:
  GruChoices();
  void addLine(const std::string& line, bool replace);

  std::mutex mutex_;
  std::string file_;  // empty: none
  std::map<std::string, GruMethod> choices_;
};

}  // namespace cudnn_gru
