#pragma once

#include <stdexcept>
#include <string>

namespace cudnn_gru {

// Why a command could not run. The addon turns it into a CudnnGruError with the same code.
class Error : public std::runtime_error {
 public:
  Error(const char* code, const std::string& message) : std::runtime_error(message), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;  // a string literal: ERR_OUT_OF_MEMORY, ERR_INDEX_OUT_OF_RANGE, ERR_INTERNAL, ...
};

[[noreturn]] inline void failCheck(const char* expression, const char* file, int line, const std::string& detail) {
  std::string path(file);
  const size_t root = path.rfind("native/");
  if (root != std::string::npos) path = path.substr(root);
  throw Error("ERR_INTERNAL", "check failed: " + std::string(expression) + (detail.empty() ? "" : ": " + detail) +
                                  " (" + path + ":" + std::to_string(line) + ")");
}

}  // namespace cudnn_gru

// The native side's own defence: TypeScript has already explained bad arguments to the user.
#define CUDNN_GRU_CHECK(expression, detail) \
  ((expression) ? void(0) : ::cudnn_gru::failCheck(#expression, __FILE__, __LINE__, detail))
