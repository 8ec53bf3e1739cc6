#include "cpu/signal.h"

#include "platform/cpus.h"
#include "platform/pause.h"

namespace cudnn_gru {
namespace {

// The first pauses are not timed: most waits within a step end there.
constexpr int kUntimedPauses = 100;
// Falling asleep and being woken takes about as long: longer waits are not worth a processor.
constexpr std::chrono::microseconds kSpinTime{50};

thread_local Signal::Clock::duration waitedByThread{0};

// True as soon as `ready()` is.
template <class Ready>
bool pauseUntil(const Ready& ready) {
  for (int i = 0; i < kUntimedPauses; ++i) {
    if (ready()) return true;
    platform::pause();
  }
  return ready();
}

}  // namespace

void Signal::raise() {
  value_.fetch_add(1);
  // Sleepers count themselves and look again before they sleep, in sequentially consistent order as here: at least one
  // of the two sees the other.
  if (sleepers_.load() == 0) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (raiserGoesOn_) raisersCpu_ = platform::currentCpu();
  changed_.notify_all();
}

void Signal::wait(unsigned seen, bool spin) {
  const auto raised = [&] { return value_.load() != seen; };
  if (pauseUntil(raised)) return;
  const Clock::time_point begin = Clock::now();
  bool awake = false;
  while (spin && !awake && Clock::now() - begin < kSpinTime) awake = pauseUntil(raised);
  if (!awake) {
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1);
    changed_.wait(lock, raised);
    sleepers_.fetch_sub(1);
    const int cpu = raisersCpu_;
    lock.unlock();
    if (raiserGoesOn_ && spin) platform::leaveCpu(cpu);
  }
  waitedByThread += Clock::now() - begin;
}

Signal::Clock::duration Signal::waited() { return waitedByThread; }

}  // namespace cudnn_gru
