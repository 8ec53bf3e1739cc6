#include "device/queue.h"

#include <algorithm>
#include <new>
#include <utility>

#include "platform/pause.h"

namespace cudnn_gru {

namespace {

constexpr int kPauses = 1000;

Error closed() { return Error("ERR_ABORTED", "the process, or this worker thread, is ending"); }

}  // namespace

Queue::Queue(std::shared_ptr<Device> device) : device_(std::move(device)), thread_([this] { work(); }) {}

Queue::~Queue() { stop(); }

void Queue::stop() {
  if (!thread_.joinable()) return;
  std::deque<std::unique_ptr<Command>> abandoned;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
    abandoned.swap(commands_);
  }
  arrived_.notify_all();
  thread_.join();
  device_->stop();
  for (auto& command : abandoned) command->fail(closed());
}

size_t Queue::push(std::unique_ptr<Command> command) {
  std::unique_lock<std::mutex> lock(mutex_);
  finished_.wait(lock, [this] { return commands_.size() < kCapacity; });
  if (closing_) {
    lock.unlock();
    if (device_->sharesHostMemory())
      execute(*command);
    else
      command->fail(closed());
    return 0;
  }
  commands_.push_back(std::move(command));
  const size_t pending = unfinished();
  const bool wake = sleeping_;
  pushes_.fetch_add(1, std::memory_order_relaxed);
  lock.unlock();
  if (wake) arrived_.notify_one();
  return pending;
}

bool Queue::runNow(Command& command) {
  const double work = brief_ + command.work();
  brief_ = command.isAwaited() ? 0 : brief_;
  if (work > kBriefWork || !device_->sharesHostMemory() || pending() > 0) return false;
  if (!command.isAwaited()) brief_ = work;
  execute(command);
  return true;
}

size_t Queue::pending() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return unfinished();
}

bool Queue::notifyAt(size_t depth, std::function<void()> then) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (unfinished() <= depth) return false;
  waiters_.push_back({depth, std::move(then)});
  return true;
}

void Queue::execute(Command& command) noexcept {
  try {
    command.run(*device_);
  } catch (const Error& error) {
    command.fail(error);
  } catch (const std::bad_alloc&) {
    command.fail(Error("ERR_OUT_OF_MEMORY", "not enough memory for an operation's scratch space"));
  } catch (const std::exception& error) {
    command.fail(Error("ERR_INTERNAL", error.what()));
  }
}

void Queue::awaitCommand(std::unique_lock<std::mutex>& lock) {
  const auto given = [this] { return closing_ || !commands_.empty(); };
  if (given()) return;
  // JavaScript enqueues the next operation some microseconds after the last: to sleep and be woken would cost more.
  const unsigned seen = pushes_.load(std::memory_order_relaxed);
  lock.unlock();
  for (int i = 0; i < kPauses && pushes_.load(std::memory_order_relaxed) == seen; ++i) platform::pause();
  lock.lock();
  sleeping_ = true;
  arrived_.wait(lock, given);
  sleeping_ = false;
}

std::vector<Queue::Waiter> Queue::takeReadyWaiters() {
  const size_t pending = unfinished();
  const auto firstReady =
      std::stable_partition(waiters_.begin(), waiters_.end(), [&](const Waiter& w) { return w.depth < pending; });
  std::vector<Waiter> ready(std::make_move_iterator(firstReady), std::make_move_iterator(waiters_.end()));
  waiters_.erase(firstReady, waiters_.end());
  return ready;
}

void Queue::work() {
  device_->enterThread();
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    awaitCommand(lock);
    if (closing_) return;
    std::unique_ptr<Command> command = std::move(commands_.front());
    commands_.pop_front();
    running_ = true;
    lock.unlock();
    execute(*command);
    command.reset();  // its buffers go back before anyone hears that it has finished
    lock.lock();
    running_ = false;
    const std::vector<Waiter> ready = waiters_.empty() ? std::vector<Waiter>() : takeReadyWaiters();
    if (!ready.empty()) {
      lock.unlock();
      for (const Waiter& waiter : ready) waiter.then();
      lock.lock();
    }
    finished_.notify_all();
  }
}

}  // namespace cudnn_gru
