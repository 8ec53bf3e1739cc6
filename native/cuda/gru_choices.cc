#include "cuda/gru_choices.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace cudnn_gru {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = 4 << 20;  // of the file
constexpr size_t kMostLine = 512;

constexpr std::pair<cudnnRNNAlgo_t, const char*> kAlgorithms[] = {
    {CUDNN_RNN_ALGO_STANDARD, "standard"},
    {CUDNN_RNN_ALGO_PERSIST_STATIC, "persistStatic"},
    {CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, "persistStaticSmallH"},
};
constexpr std::pair<GruDataLayout, const char*> kLayouts[] = {
    {GruDataLayout::kPacked, "packed"},
    {GruDataLayout::kTimeMajor, "timeMajor"},
    {GruDataLayout::kBatchMajor, "batchMajor"},
};

fs::path cacheFolder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  const std::string own = variable("CUDNN_GRU_CACHE");
  if (own == "off") return {};
  if (!own.empty()) return own;
  for (const char* name : {"XDG_CACHE_HOME", "LOCALAPPDATA"})
    if (const std::string folder = variable(name); !folder.empty()) return fs::path(folder) / "cudnn-gru";
  const std::string home = variable("HOME");
  return home.empty() ? fs::path() : fs::path(home) / ".cache" / "cudnn-gru";
}

}  // namespace

std::string nameOf(const GruMethod& method) {
  std::string name;
  for (const auto& [algorithm, word] : kAlgorithms)
    if (algorithm == method.algorithm) name = word;
  for (const auto& [layout, word] : kLayouts)
    if (layout == method.layout) name += std::string(" ") + word;
  return name;
}

std::optional<GruMethod> methodNamed(const std::string& name) {
  for (const auto& algorithm : kAlgorithms)
    for (const auto& layout : kLayouts) {
      const GruMethod method{algorithm.first, layout.first};
      if (nameOf(method) == name) return method;
    }
  return std::nullopt;
}

GruChoices& GruChoices::instance() {
  static GruChoices choices;
  return choices;
}

GruChoices::GruChoices() {
  const fs::path folder = cacheFolder();
  if (folder.empty()) return;
  const fs::path path = folder / "gru-methods.tsv";
  file_ = path.string();
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error || bytes > kMostBytes) return;
  std::ifstream file(path);
  // Of two processes that measured at once, everybody takes the one that wrote first.
  for (std::string line; std::getline(file, line);) addLine(line, false);
}

void GruChoices::addLine(const std::string& line, bool replace) {
  const size_t tab = line.find('\t');
  if (line.size() > kMostLine || tab == std::string::npos || tab == 0) return;
  const std::optional<GruMethod> method = methodNamed(line.substr(tab + 1));
  if (!method) return;
  if (replace)
    choices_.insert_or_assign(line.substr(0, tab), *method);
  else
    choices_.emplace(line.substr(0, tab), *method);
}

std::optional<GruMethod> GruChoices::find(const std::string& call) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = choices_.find(call);
  return found == choices_.end() ? std::nullopt : std::optional<GruMethod>(found->second);
}

void GruChoices::record(const std::string& call, const GruMethod& method) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!choices_.emplace(call, method).second || file_.empty()) return;
  // One short write at the end, so that processes side by side do not disturb each other. A folder that cannot be
  // written to costs a measurement in every process, and nothing else.
  std::error_code error;
  fs::create_directories(fs::path(file_).parent_path(), error);
  std::ofstream file(file_, std::ios::app | std::ios::binary);
  file << call + "\t" + nameOf(method) + "\n" << std::flush;
}

std::vector<std::string> GruChoices::lines() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [call, method] : choices_) lines.push_back(call + "\t" + nameOf(method));
  return lines;
}

void GruChoices::follow(const std::vector<std::string>& lines) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const std::string& line : lines) addLine(line, true);
}

}  // namespace cudnn_gru
