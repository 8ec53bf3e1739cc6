// Drives Queue hard enough for the thread sanitizer to see its races; built and run by scripts/test-sanitizers.mjs.
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"
#include "device/queue.h"

using namespace cudnn_gru;

namespace {

// Commands here do not call the operations.
class NoDevice : public Device {
 public:
  void* allocate(size_t bytes) override { return std::malloc(bytes); }
  void release(void* data, size_t) noexcept override { std::free(data); }
  MemoryUse memoryUse() const override { return {}; }
  void releaseCache() override {}
  bool sharesHostMemory() const override { return true; }
  void copyFromHost(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void copyToHost(void* to, const void* from, size_t bytes, CopyDone done) override {
    std::memcpy(to, from, bytes);
    done(std::nullopt);
  }
#define CUDNN_GRU_NO_METHOD(name, Type) \
  void name(const ops::Type&) override { throw Error("ERR_UNSUPPORTED", #name); }
  CUDNN_GRU_OPERATIONS(CUDNN_GRU_NO_METHOD)
#undef CUDNN_GRU_NO_METHOD
};

// Plain memory: written by the queue's thread, read by others after they were told.
struct Counts {
  long ran = 0, failed = 0;
};

class Count : public Command {
 public:
  Count(Counts& counts, int kind) : counts_(counts), kind_(kind) {}
  void run(Device&) override {
    if (kind_ == 1) throw Error("ERR_INTERNAL", "asked for");
    if (kind_ == 2) throw std::runtime_error("asked for");
    if (kind_ == 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++counts_.ran;
  }
  void fail(const Error&) noexcept override { ++counts_.failed; }
  double work() const override { return Queue::kBriefWork / 4; }
  bool isAwaited() const override { return kind_ == 4; }

 private:
  Counts& counts_;
  int kind_;
};

// Until everything pushed so far has run, by notifyAt.
void drain(Queue& queue) {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  if (!queue.notifyAt(0, [&] {
        std::lock_guard<std::mutex> lock(mutex);
        done = true;
        changed.notify_one();
      }))
    return;
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return done; });
}

void runsInOrderAndCountsFailures() {
  Counts counts;
  Queue queue(std::make_shared<NoDevice>());
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 30; ++i) CHECK(queue.push(std::make_unique<Count>(counts, i % 10 < 3 ? i % 10 : 0)) > 0);
    if (round % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // its thread falls asleep
    drain(queue);
    CHECK(queue.pending() == 0);
    CHECK(counts.ran == (round + 1) * 24 && counts.failed == (round + 1) * 6);
  }
}

void holdsALoopThatAwaitsNothing() {
  Counts counts;
  Queue queue(std::make_shared<NoDevice>());
  size_t longest = 0;
  for (int i = 0; i < 20000; ++i) longest = std::max(longest, queue.push(std::make_unique<Count>(counts, 0)));
  CHECK(longest <= Queue::kCapacity + 1);
  drain(queue);
  CHECK(counts.ran == 20000);
}

void wakesWaitersAtTheirDepth() {
  Counts counts;
  Queue queue(std::make_shared<NoDevice>());
  std::atomic<int> woken{0};
  int waits = 0;
  for (int i = 0; i < 300; ++i) {
    queue.push(std::make_unique<Count>(counts, i % 50 == 0 ? 3 : 0));
    waits += queue.notifyAt(size_t(i % 7), [&] { ++woken; });
  }
  drain(queue);
  CHECK(woken == waits);
}

void closesWithCommandsWaiting() {
  for (int round = 0; round < 200; ++round) {
    Counts counts;
    const int pushed = round % 40;
    {
      Queue queue(std::make_shared<NoDevice>());
      for (int i = 0; i < pushed; ++i) queue.push(std::make_unique<Count>(counts, i == 3 ? 3 : 0));
      if (round % 3 == 0) queue.notifyAt(0, [] {});
      if (round % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    CHECK(counts.ran + counts.failed == pushed);
  }
}

// The counts are plain memory: this thread and the queue's may only touch them in turn.
void runsBriefWorkAtOnce() {
  Counts counts;
  Queue queue(std::make_shared<NoDevice>());
  int atOnce = 0;
  for (int i = 0; i < 20000; ++i) {
    auto command = std::make_unique<Count>(counts, i % 7 == 0 ? 4 : i % 10 < 3 ? i % 10 : 0);
    if (queue.runNow(*command))
      ++atOnce;
    else
      queue.push(std::move(command));
    if (i % 100 == 0) drain(queue);
  }
  drain(queue);
  CHECK(counts.ran + counts.failed == 20000);
  CHECK(atOnce >= 200 && atOnce < 20000);
}

// Several threads push and ask at once.
void servesSeveralThreads() {
  Counts counts;
  Queue queue(std::make_shared<NoDevice>());
  std::vector<std::thread> pushers;
  for (int t = 0; t < 4; ++t)
    pushers.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) {
        queue.push(std::make_unique<Count>(counts, 0));
        CHECK(queue.pending() <= Queue::kCapacity + 1);
      }
    });
  for (std::thread& pusher : pushers) pusher.join();
  drain(queue);
  CHECK(counts.ran == 12000);
}

}  // namespace

int main() {
  runsInOrderAndCountsFailures();
  holdsALoopThatAwaitsNothing();
  wakesWaitersAtTheirDepth();
  runsBriefWorkAtOnce();
  closesWithCommandsWaiting();
  servesSeveralThreads();
  return finish("queue");
}
