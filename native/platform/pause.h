#pragma once

namespace cudnn_gru::platform {

// Tells the processor that this thread waits in a loop: 10 to 50 ns.
inline void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace cudnn_gru::platform
