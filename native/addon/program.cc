#include "addon/program.h"

#include <cstring>

#include "addon/answer.h"

namespace cudnn_gru {
namespace {

using Copies = std::map<std::shared_ptr<Buffer>, std::shared_ptr<Buffer>>;

// Runs on the queue's thread while the JavaScript thread, whose copies these are, waits.
class RefreshCommand : public Command {
 public:
  RefreshCommand(const Copies& copies, Answer& answer) : copies_(copies), answer_(answer) {}

  void run(Device&) override {
    for (const auto& [original, copy] : copies_) {
      if (original->failure()) throw *original->failure();
      CUDNN_GRU_CHECK(original->data() || original->bytes() == 0, "a buffer is read before it is written");
      copy->allocate();
      if (copy->bytes() > 0) copy->device().copyFromHost(copy->data(), original->data(), copy->bytes());
      copy->markWritten();
    }
    answer_.give(std::nullopt);
  }
  void fail(const Error& error) noexcept override { answer_.give(error); }

 private:
  const Copies& copies_;
  Answer& answer_;
};

}  // namespace

std::unique_ptr<Program> Program::on(Queue& queue) {
  std::shared_ptr<Device> device = queue.device().immediate();
  return device ? std::unique_ptr<Program>(new Program(queue, std::move(device))) : nullptr;
}

std::shared_ptr<Buffer> Program::ownBuffer(const std::shared_ptr<Buffer>& buffer) {
  if (&buffer->device() == device_.get()) return buffer;
  if (&buffer->device() != &queue_.device())
    throw Error("ERR_DEVICE_MISMATCH", "a step uses a tensor of another device");
  std::shared_ptr<Buffer>& copy = copies_[buffer];
  if (!copy) copy = std::make_shared<Buffer>(device_, buffer->bytes());
  return copy;
}

View Program::ownView(View view) {
  view.buffer = ownBuffer(view.buffer);
  return view;
}

void Program::finish(View frame, View state, View output) {
  frame_ = ownView(std::move(frame));
  state_ = ownView(std::move(state));
  output_ = ownView(std::move(output));
}

void Program::refresh() {
  refreshed_ = false;
  Answer answer;
  queue_.push(std::make_unique<RefreshCommand>(copies_, answer));
  answer.wait();
  refreshed_ = true;
}

void Program::run(const View& state, const float* x, float* y) {
  CUDNN_GRU_CHECK(refreshed_, "a program runs before it was refreshed");
  CUDNN_GRU_CHECK(state.count == state_.count && state.buffer->data(), "the state does not fit");
  std::memcpy(frame_.floats(), x, frame_.bytes());
  std::memcpy(state_.floats(), state.floats(), state_.bytes());
  for (const auto& command : commands_) command->run(*device_);
  std::memcpy(state.floats(), state_.floats(), state_.bytes());
  std::memcpy(y, output_.floats(), output_.bytes());
}

}  // namespace cudnn_gru
