#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>

// The least a native test needs: CHECK(condition) ends the program at the first failure, finish(name) prints how many
// there were.
inline std::atomic<long> checks{0};

#define CHECK(condition)                                                           \
  do {                                                                             \
    ++checks;                                                                      \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      std::_Exit(1);                                                               \
    }                                                                              \
  } while (false)

inline int finish(const char* name) {
  std::printf("%s: %ld checks\n", name, checks.load());
  return 0;
}
