#pragma once

#include <string>

namespace cudnn_gru::platform {

// A library opened at run time. It stays loaded when this object goes: what it left behind in other libraries and
// threads does not survive unloading.
class DynamicLibrary {
 public:
  // A path, or a name that the system's loader looks for. On failure `error` gets the loader's message.
  static DynamicLibrary open(const std::string& path, std::string& error);

  explicit operator bool() const { return handle_ != nullptr; }
  void* symbol(const char* name) const;  // nullptr if there is none
  std::string path() const;              // where the loader found it; as opened if it does not say
  void unload();                         // for one that was opened to be looked at, and not used

 private:
  void* handle_ = nullptr;
  std::string opened_;
};

// 'libNAME.so.MAJOR' and its like on other systems; `name` as in "cublasLt".
std::string libraryFileName(const std::string& name, int major);

constexpr char kPathListSeparator =
#if defined(_WIN32)
    ';';
#else
    ':';
#endif

// For a variable that a library reads when it is loaded. What the user has set stays.
void setEnvironmentVariableIfUnset(const char* name, const char* value);

}  // namespace cudnn_gru::platform
