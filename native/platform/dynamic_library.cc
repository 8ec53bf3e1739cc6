#include "platform/dynamic_library.h"

#include <cstdlib>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#if defined(__linux__)
#include <link.h>
#endif
#endif

namespace cudnn_gru::platform {

#if defined(_WIN32)

namespace {

std::string messageOf(DWORD code) {
  char text[512];
  const DWORD length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, code, 0,
                                      text, sizeof text, nullptr);
  std::string message(text, length);
  while (!message.empty() && (message.back() == '\n' || message.back() == '\r')) message.pop_back();
  return message.empty() ? "error " + std::to_string(code) : message;
}

}  // namespace

DynamicLibrary DynamicLibrary::open(const std::string& path, std::string& error) {
  DynamicLibrary library;
  library.opened_ = path;
  // With a full path, what the library itself needs is looked for beside it.
  const bool isPath = path.find_first_of("/\\") != std::string::npos;
  library.handle_ = LoadLibraryExA(path.c_str(), nullptr, isPath ? LOAD_WITH_ALTERED_SEARCH_PATH : 0);
  if (!library) error = path + ": " + messageOf(GetLastError());
  return library;
}

void* DynamicLibrary::symbol(const char* name) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name));
}

std::string DynamicLibrary::path() const {
  char path[MAX_PATH];
  const DWORD length = GetModuleFileNameA(static_cast<HMODULE>(handle_), path, sizeof path);
  return length > 0 && length < sizeof path ? std::string(path, length) : opened_;
}

void DynamicLibrary::unload() {
  if (handle_) FreeLibrary(static_cast<HMODULE>(handle_));
  handle_ = nullptr;
}

std::string libraryFileName(const std::string& name, int major) {
  if (name == "cuda") return "nvcuda.dll";
  return name + "64_" + std::to_string(major) + ".dll";
}

void setEnvironmentVariableIfUnset(const char* name, const char* value) {
  if (!std::getenv(name)) _putenv_s(name, value);
}

#else

DynamicLibrary DynamicLibrary::open(const std::string& path, std::string& error) {
  DynamicLibrary library;
  library.opened_ = path;
  library.handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* message = dlerror();
    error = message ? message : path + ": cannot be opened";
  }
  return library;
}

void* DynamicLibrary::symbol(const char* name) const { return dlsym(handle_, name); }

std::string DynamicLibrary::path() const {
#if defined(__linux__)
  link_map* map = nullptr;
  if (dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0 && map->l_name && *map->l_name) return map->l_name;
#endif
  return opened_;
}

void DynamicLibrary::unload() {
  if (handle_) dlclose(handle_);
  handle_ = nullptr;
}

std::string libraryFileName(const std::string& name, int major) {
#if defined(__APPLE__)
  return "lib" + name + "." + std::to_string(major) + ".dylib";
#else
  return "lib" + name + ".so." + std::to_string(major);
#endif
}

void setEnvironmentVariableIfUnset(const char* name, const char* value) { setenv(name, value, 0); }

#endif

}  // namespace cudnn_gru::platform
