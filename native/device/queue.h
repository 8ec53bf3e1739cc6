#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "device/device.h"

namespace cudnn_gru {

// One entry of a device's queue. It owns references to its buffers for as long as it waits.
class Command {
 public:
  virtual ~Command() = default;
  virtual void run(Device& device) = 0;
  // `run` threw, or the queue closes before the command could run.
  virtual void fail(const Error& error) noexcept = 0;
  // In multiply-adds, roughly; see Queue::runNow. As it is: not brief.
  virtual double work() const { return std::numeric_limits<double>::infinity(); }
  // Its caller waits for what was enqueued before it.
  virtual bool isAwaited() const { return false; }
};

// The commands of one device, run in order on a thread of their own, so that nothing here makes JavaScript wait. Only
// the JavaScript thread pushes.
class Queue {
 public:
  // Multiply-adds of about 20 µs, or of 100 µs where weights must be read for one row: about as long as it takes to
  // wake the queue's thread and to be woken by it. Weights that were never packed take longer, once.
  static constexpr double kBriefWork = 2e6;

  // A loop that never waits for anything is stopped here rather than by the end of memory: push then blocks its caller.
  static constexpr size_t kCapacity = 4096;

  explicit Queue(std::shared_ptr<Device> device);
  ~Queue();  // stops

  // Waits for the command that runs and for what it has launched, ends the queue's thread and the one that waits for a
  // device's stream, and abandons all other commands: they fail. What is pushed from now on is run by its caller on a
  // device that shares the host's memory, and fails on another.
  void stop();

  Device& device() const { return *device_; }
  const std::shared_ptr<Device>& sharedDevice() const { return device_; }

  // Returns the number of commands that now wait or run. On a device with a stream of its own, a command counts until
  // it is launched there.
  size_t push(std::unique_ptr<Command> command);
  size_t pending() const;

  // Runs a command at once, on the JavaScript thread, if nothing waits or runs and handing it over would take longer:
  // one step of one row, and the copy of its result. Where commands come faster than they are awaited they are left to
  // the queue, whose thread works beside JavaScript's: between two awaited commands no more is done here than
  // kBriefWork. Answers false, and has done nothing, if the command is to be pushed.
  bool runNow(Command& command);

  // Calls `then` on the queue's thread as soon as at most `depth` commands wait or run; returns false, without keeping
  // `then`, if that is so already.
  bool notifyAt(size_t depth, std::function<void()> then);

 private:
  struct Waiter {
    size_t depth;
    std::function<void()> then;
  };

  void work();
  void awaitCommand(std::unique_lock<std::mutex>& lock);
  void execute(Command& command) noexcept;
  size_t unfinished() const { return commands_.size() + (running_ ? 1 : 0); }  // with mutex_ held
  std::vector<Waiter> takeReadyWaiters();                                      // with mutex_ held

  std::shared_ptr<Device> device_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_, finished_;
  std::deque<std::unique_ptr<Command>> commands_;
  std::vector<Waiter> waiters_;
  bool running_ = false;  // a command has left commands_ and has not finished
  double brief_ = 0;      // what runNow has done since the last awaited command
  bool sleeping_ = false;
  bool closing_ = false;
  std::atomic<unsigned> pushes_{0};
  std::thread thread_;  // last: it starts when everything above exists
};

}  // namespace cudnn_gru
