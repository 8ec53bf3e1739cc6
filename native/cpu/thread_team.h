#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace cudnn_gru {

// Lets `count` threads wait for each other, again and again. Waiting spins for a moment, then yields, then sleeps, so
// it costs little where there are fewer processors than threads.
class Barrier {
 public:
  explicit Barrier(int count) : count_(count) {}
  void wait();

 private:
  const int count_;
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> round_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> sleepers_{0};
};

// Threads that share the work of one device. Only one thread at a time may give them work: the device's own, which
// takes part.
class ThreadTeam {
 public:
  explicit ThreadTeam(int threads);  // at least 1, the caller included
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return size_; }
  void resize(int threads);

  // Calls fn(part) once for every part in [0, parts); part i runs on thread i % size(), the caller being thread 0, so
  // which parts share a thread never varies. Returns when all are done; then throws the first exception of the lowest
  // thread. A barrier may be used inside when parts <= size(): then every part has its own thread. Such parts must not
  // throw.
  template <class Function>
  void parallelFor(int parts, const Function& fn) {
    if (parts <= 1 || size_ == 1) {
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

  void run(int parts, Call call, const void* context);
  void runParts(int thread);
  void work(int thread, unsigned seen);  // `seen`: the generation at which the worker came into being
  void start(int threads);
  void stop();

  int size_ = 1;
  std::vector<std::thread> workers_;

  // The work at hand, written by the caller before `generation_` moves on.
  Call call_ = nullptr;
  const void* context_ = nullptr;
  int parts_ = 0;
  bool stopping_ = false;
  std::vector<std::exception_ptr> failures_;  // one a thread

  std::atomic<unsigned> generation_{0};
  std::atomic<int> running_{0};  // workers that have not finished this generation
  std::mutex mutex_;
  std::condition_variable workGiven_, workDone_;
  std::atomic<int> sleepingWorkers_{0};
  std::atomic<bool> callerSleeps_{false};
};

}  // namespace cudnn_gru
