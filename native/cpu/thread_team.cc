#include "cpu/thread_team.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>

#include "device/error.h"
#include "platform/cpus.h"

namespace cudnn_gru {
namespace {

// After time was lost by sharing, that time by the patience passes before sharing is tried again. The patience doubles
// with each loss and falls by an eighth, at least by one, where sharing pays: a rare interruption costs little more
// than itself, and where sharing often loses it is soon hardly tried.
constexpr int kMostPatience = 1000;
// A process that was stopped has lost more time than it should wait for.
constexpr std::chrono::seconds kLongestPatience{2};

// Asked once: it reads files.
int processors() {
  static const int count = platform::grantedCpus();
  return count;
}

}  // namespace

Barrier::Barrier(int count) : count_(count), spin_(count <= processors()) {}

void Barrier::wait() {
  if (count_ == 1) return;
  const unsigned round = round_.value();
  if (arrived_.fetch_add(1) == count_ - 1) {
    arrived_.store(0);
    round_.raise();
  } else {
    round_.wait(round, spin_);
  }
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
  if (threads == threads_) return;
  stop();
  start(threads);
}

void ThreadTeam::start(int threads) {
  threads_ = threads;
  spin_ = threads <= processors();
  failures_.assign(threads, nullptr);
  stopping_ = false;
  workers_.reserve(threads - 1);
  try {
    for (int thread = 1; thread < threads; ++thread) {
      auto worker = std::make_unique<Worker>();
      worker->thread = std::thread([this, thread, &given = worker->given] { work(thread, given); });
      workers_.push_back(std::move(worker));
    }
  } catch (const std::system_error&) {
    threads_ = 1 + int(workers_.size());  // the system gives no more: as many as there are
  }
}

void ThreadTeam::stop() {
  stopping_ = true;
  for (auto& worker : workers_) worker->given.raise();
  for (auto& worker : workers_) worker->thread.join();
  workers_.clear();
}

int ThreadTeam::size() const {
  const bool alone = aloneUntil_ != Signal::Clock::time_point() && Signal::Clock::now() < aloneUntil_;
  return alone ? 1 : std::min(threads(), processors());
}

void ThreadTeam::run(int parts, Call call, const void* context) {
  const int sharers = std::min(parts, threads());
  const Signal::Clock::time_point begin = Signal::Clock::now();
  const Signal::Clock::duration waitedBefore = Signal::waited();
  call_ = call;
  context_ = context;
  parts_ = parts;
  running_.store(sharers - 1);
  const unsigned done = done_.value();
  for (int thread = 1; thread < sharers; ++thread) workers_[thread - 1]->given.raise();
  runParts(0);
  done_.wait(done, spin_);
  judge(sharers, Signal::Clock::now() - begin, Signal::waited() - waitedBefore);
  std::exception_ptr first;
  for (std::exception_ptr& failure : failures_) {
    if (failure && !first) first = failure;
    failure = nullptr;
  }
  if (first) std::rethrow_exception(first);
}

// The caller's part, all waiting left out, is one of `sharers` of about the same size.
void ThreadTeam::judge(int sharers, Signal::Clock::duration wall, Signal::Clock::duration waited) {
  const Signal::Clock::duration alone = (wall - waited) * sharers;
  if (wall <= alone * 5 / 4) {
    patience_ = std::max(1, patience_ - std::max(1, patience_ / 8));
    return;
  }
  aloneUntil_ = Signal::Clock::now() + std::min<Signal::Clock::duration>((wall - alone) * patience_, kLongestPatience);
  patience_ = std::min(2 * patience_, kMostPatience);
}

void ThreadTeam::runParts(int thread) {
  try {
    const int step = threads_;
    for (int part = thread; part < parts_; part += step) call_(context_, part);
  } catch (...) {
    failures_[thread] = std::current_exception();
  }
}

void ThreadTeam::work(int thread, Signal& given) {
  for (unsigned seen = 0;; ++seen) {
    given.wait(seen, spin_);
    if (stopping_) return;
    runParts(thread);
    if (running_.fetch_sub(1) == 1) done_.raise();
  }
}

}  // namespace cudnn_gru
