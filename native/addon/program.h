#pragma once

#include <map>
#include <memory>
#include <vector>

#include "device/queue.h"

namespace cudnn_gru {

// One step of a stream, recorded once and run on the JavaScript thread as often as wanted, without the queue. Its
// commands work in memory of their own, on a device of their own (Device::immediate): what they read from outside, the
// parameters, is copied by `refresh` in the queue's order, so that nothing is shared with the queue's thread.
class Program {
 public:
  static std::unique_ptr<Program> on(Queue& queue);  // null if the queue's device cannot run at once

  // While it is recorded. A buffer of the queue's device stands for its copy; one of the program's own for itself.
  const std::shared_ptr<Device>& device() const { return device_; }
  bool isOf(const Queue& queue) const { return &queue_.device() == &queue.device(); }
  std::shared_ptr<Buffer> ownBuffer(const std::shared_ptr<Buffer>& buffer);
  void record(std::unique_ptr<Command> command) { commands_.push_back(std::move(command)); }
  void finish(View frame, View state, View output);

  // Copies what was read from outside as the queue has it after everything pushed so far; waits for that.
  void refresh();

  // One step: y from x, and the stream's state, of which nobody else may read or write at this time. On an error the
  // state stays as it is.
  size_t frameSize() const { return frame_.count; }
  size_t outputSize() const { return output_.count; }
  void run(const View& state, const float* x, float* y);

 private:
  Program(Queue& queue, std::shared_ptr<Device> device) : queue_(queue), device_(std::move(device)) {}
  View ownView(View view);

  Queue& queue_;
  std::shared_ptr<Device> device_;
  std::map<std::shared_ptr<Buffer>, std::shared_ptr<Buffer>> copies_;  // by original
  std::vector<std::unique_ptr<Command>> commands_;
  View frame_, state_, output_;  // [1, inputSize], [1, stateSize], [1, outputSize]
  bool refreshed_ = false;
};

}  // namespace cudnn_gru
