#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "cpu/signal.h"

namespace cudnn_gru {

// Lets `count` threads wait for each other, again and again.
class Barrier {
 public:
  explicit Barrier(int count);
  void wait();

 private:
  const int count_;
  const bool spin_;
  std::atomic<int> arrived_{0};
  Signal round_{true};
};

// Threads that share the work of one device. Only one thread at a time may give them work, and takes
// part.
class ThreadTeam {
 public:
  explicit ThreadTeam(int threads);  // at least 1, the caller included
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int threads() const { return threads_; }  // any thread may ask
  void resize(int threads);

  // Into how many parts to share work now: no more than there are processors, and 1 for a while after sharing has been
  // slower than one thread would have been, because others use the processors.
  int size() const;

  // Calls fn(part) once for every part in [0, parts); part i runs on thread i % threads(), the caller being thread 0,
  // so which parts share a thread never varies. Returns when all are done; then throws the first exception of the
  // lowest thread. A barrier may be used inside when parts <= threads(): then every part has its own thread. Such parts
  // must not throw.
  template <class Function>
  void parallelFor(int parts, const Function& fn) {
    if (parts <= 1 || threads_ == 1) {
      for (int part = 0; part < parts; ++part) fn(part);
      return;
    }
    run(
        parts, [](const void* context, int part) { (*static_cast<const Function*>(context))(part); }, &fn);
  }

  // CUDNN_GRU_THREADS, or as many as there are CPUs granted to this process. Throws ERR_UNSUPPORTED when the variable
  // is not a number from 1 to kMostThreads.
  static int defaultSize();
  static constexpr int kMostThreads = 1024;

 private:
  using Call = void (*)(const void* context, int part);

  struct Worker {
    Signal given{true};  // raised for each piece of work, and to end
    std::thread thread;
  };

  void run(int parts, Call call, const void* context);
  void runParts(int thread);
  void work(int thread, Signal& given);
  void judge(int sharers, Signal::Clock::duration wall, Signal::Clock::duration waited);
  void start(int threads);
  void stop();

  std::atomic<int> threads_{1};
  bool spin_ = true;
  std::vector<std::unique_ptr<Worker>> workers_;
  Signal::Clock::time_point aloneUntil_{};
  int patience_ = 1;  // see judge()

  // The work at hand, written by the caller before it raises the workers' signals.
  Call call_ = nullptr;
  const void* context_ = nullptr;
  int parts_ = 0;
  bool stopping_ = false;
  std::vector<std::exception_ptr> failures_;  // one a thread

  std::atomic<int> running_{0};  // workers that have not finished the work at hand
  Signal done_;                  // raised by the last of them
};

}  // namespace cudnn_gru
