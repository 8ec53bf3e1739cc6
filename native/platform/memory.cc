#include "platform/memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "platform/control_group.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <windows.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#else
#include <unistd.h>
#endif

namespace cudnn_gru::platform {
namespace {

size_t physicalMemory() {
#if defined(_WIN32)
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? size_t(status.ullTotalPhys) : SIZE_MAX;
#elif defined(__APPLE__)
  uint64_t bytes = 0;
  size_t size = sizeof bytes;
  return sysctlbyname("hw.memsize", &bytes, &size, nullptr, 0) == 0 ? size_t(bytes) : SIZE_MAX;
#else
  const long pages = sysconf(_SC_PHYS_PAGES), pageSize = sysconf(_SC_PAGE_SIZE);
  return pages > 0 && pageSize > 0 ? size_t(pages) * size_t(pageSize) : SIZE_MAX;
#endif
}

}  // namespace

void* allocateAligned(size_t bytes, size_t alignment) {
#if defined(_WIN32)
  return _aligned_malloc(bytes, alignment);
#else
  void* data = nullptr;
  return posix_memalign(&data, alignment, bytes) == 0 ? data : nullptr;
#endif
}

void freeAligned(void* data) noexcept {
#if defined(_WIN32)
  _aligned_free(data);
#else
  std::free(data);
#endif
}

size_t memoryLimit() {
  size_t limit = physicalMemory();
  // "max" (version 2) reads as 0: no limit; version 1 writes a number beyond any machine's memory.
  std::vector<std::string> values = controlGroupV2("memory.max");
  for (const std::string& value : controlGroupV1("memory", "memory.limit_in_bytes")) values.push_back(value);
  for (const std::string& value : values) {
    const unsigned long long bytes = std::strtoull(value.c_str(), nullptr, 10);
    if (bytes > 0) limit = std::min(limit, size_t(bytes));
  }
  return limit;
}

}  // namespace cudnn_gru::platform
