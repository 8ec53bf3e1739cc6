#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace cudnn_gru {

// A count that threads wait on. Waiting spins for a moment and then sleeps; it does not yield in between, since a
// thread that yields to a busy neighbour is given the processor back a whole time slice later, one that sleeps soon
// after it is woken.
class Signal {
 public:
  using Clock = std::chrono::steady_clock;

  // `raiserGoesOn`: who raises it computes on, so a thread that it wakes should not run on the same processor. Linux
  // puts it there at times, and leaves both there for many milliseconds, in which they take turns at spinning.
  explicit Signal(bool raiserGoesOn = false) : raiserGoesOn_(raiserGoesOn) {}

  unsigned value() const { return value_.load(); }
  void raise();
  // Returns when the value is no longer `seen`. With `spin` false it sleeps almost at once: for more threads than
  // processors, where whoever is waited for may need this one.
  void wait(unsigned seen, bool spin);

  // How long this thread has waited in all, but for the first few microseconds of each wait.
  static Clock::duration waited();

 private:
  std::atomic<unsigned> value_{0};
  std::atomic<int> sleepers_{0};
  const bool raiserGoesOn_;
  int raisersCpu_ = -1;  // of the last raise that woke somebody
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace cudnn_gru
