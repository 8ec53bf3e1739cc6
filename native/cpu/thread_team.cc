#include "cpu/thread_team.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>

#include "device/error.h"
#include "platform/cpus.h"
#include "platform/pause.h"

namespace cudnn_gru {
namespace {

// A pause is 10 to 50 ns, a yield about 0.3 µs when nobody else wants the processor. Longer waits are not worth a
// processor.
constexpr int kPauses = 1000;
constexpr int kYields = 100;

// True as soon as `ready()` is, false when it was not for as long as it is worth staying awake.
template <class Ready>
bool waitAwake(const Ready& ready) {
  for (int i = 0; i < kPauses; ++i) {
    if (ready()) return true;
    platform::pause();
  }
  for (int i = 0; i < kYields; ++i) {
    if (ready()) return true;
    std::this_thread::yield();
  }
  return ready();
}

}  // namespace

// Sleeping, here and in the team: the sleeper counts itself and looks again; the waker changes the state and then looks
// at the count. Both in sequentially consistent order, so at least one of them sees the other.

void Barrier::wait() {
  if (count_ == 1) return;
  const unsigned round = round_.load();
  if (arrived_.fetch_add(1) == count_ - 1) {
    arrived_.store(0);
    round_.fetch_add(1);
    if (sleepers_.load() > 0) {
      std::lock_guard<std::mutex> lock(mutex_);
      changed_.notify_all();
    }
    return;
  }
  const auto passed = [&] { return round_.load() != round; };
  if (waitAwake(passed)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  sleepers_.fetch_add(1);
  changed_.wait(lock, passed);
  sleepers_.fetch_sub(1);
}

int ThreadTeam::defaultSize() {
  const char* asked = std::getenv("CUDNN_GRU_THREADS");
  if (!asked || !*asked) return std::min(platform::grantedCpus(), kMostThreads);
  char* end = nullptr;
  const long threads = std::strtol(asked, &end, 10);
  if (*end != '\0' || threads < 1 || threads > kMostThreads)
    throw Error("ERR_UNSUPPORTED", std::string("CUDNN_GRU_THREADS is '") + asked +
                                       "': expected a whole number from 1 to " + std::to_string(kMostThreads));
  return int(threads);
}

ThreadTeam::ThreadTeam(int threads) { start(threads); }

ThreadTeam::~ThreadTeam() { stop(); }

void ThreadTeam::resize(int threads) {
  if (threads == size_) return;
  stop();
  start(threads);
}

void ThreadTeam::start(int threads) {
  size_ = std::max(1, threads);
  failures_.assign(size_, nullptr);
  stopping_ = false;
  workers_.reserve(size_ - 1);
  try {
    for (int thread = 1; thread < size_; ++thread)
      workers_.emplace_back([this, thread, seen = generation_.load()] { work(thread, seen); });
  } catch (const std::system_error&) {
    size_ = 1 + int(workers_.size());  // the system gives no more: as many as there are
  }
}

void ThreadTeam::stop() {
  if (workers_.empty()) return;
  stopping_ = true;
  running_.store(0);
  generation_.fetch_add(1);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    workGiven_.notify_all();
  }
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  size_ = 1;
}

void ThreadTeam::run(int parts, Call call, const void* context) {
  call_ = call;
  context_ = context;
  parts_ = parts;
  running_.store(int(workers_.size()));
  generation_.fetch_add(1);
  if (sleepingWorkers_.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    workGiven_.notify_all();
  }
  runParts(0);
  const auto done = [&] { return running_.load() == 0; };
  if (!waitAwake(done)) {
    std::unique_lock<std::mutex> lock(mutex_);
    callerSleeps_.store(true);
    workDone_.wait(lock, done);
    callerSleeps_.store(false);
  }
  std::exception_ptr first;
  for (std::exception_ptr& failure : failures_) {
    if (failure && !first) first = failure;
    failure = nullptr;
  }
  if (first) std::rethrow_exception(first);
}

void ThreadTeam::runParts(int thread) {
  try {
    for (int part = thread; part < parts_; part += size_) call_(context_, part);
  } catch (...) {
    failures_[thread] = std::current_exception();
  }
}

void ThreadTeam::work(int thread, unsigned seen) {
  for (;;) {
    const auto given = [&] { return generation_.load() != seen; };
    if (!waitAwake(given)) {
      std::unique_lock<std::mutex> lock(mutex_);
      sleepingWorkers_.fetch_add(1);
      workGiven_.wait(lock, given);
      sleepingWorkers_.fetch_sub(1);
    }
    ++seen;
    if (stopping_) return;
    runParts(thread);
    if (running_.fetch_sub(1) == 1 && callerSleeps_.load()) {
      std::lock_guard<std::mutex> lock(mutex_);
      workDone_.notify_one();
    }
  }
}

}  // namespace cudnn_gru
