#pragma once

#include <new>
#include <vector>

#include "device/queue.h"

namespace cudnn_gru {

// What a command touches, collected while its arguments are read. The operation's views own the buffers.
struct Bindings {
  std::vector<Buffer*> inputs, outputs, inPlace;
};

// An operation of the table, waiting in the queue.
template <class Operation, void (Device::*method)(const Operation&)>
class OperationCommand : public Command {
 public:
  Operation operation{};
  Bindings bindings;

  void run(Device& device) noexcept override {
    try {
      for (Buffer* input : bindings.inputs) requireReadable(*input);
      for (Buffer* target : bindings.inPlace) requireReadable(*target);
      for (Buffer* output : bindings.outputs) output->allocate();
      (device.*method)(operation);
      for (Buffer* output : bindings.outputs) output->markWritten();
      for (Buffer* target : bindings.inPlace) target->markWritten();
    } catch (const Error& error) {
      fail(error);
    } catch (const std::bad_alloc&) {
      fail(Error("ERR_OUT_OF_MEMORY", "not enough memory for an operation's scratch space"));
    } catch (const std::exception& error) {
      fail(Error("ERR_INTERNAL", error.what()));
    }
  }

 private:
  static void requireReadable(const Buffer& buffer) {
    if (buffer.failure()) throw *buffer.failure();
    CUDNN_GRU_CHECK(buffer.data() || buffer.bytes() == 0, "a buffer is read before it is written");
  }

  void fail(const Error& error) noexcept {
    for (Buffer* output : bindings.outputs) output->fail(error);
    for (Buffer* target : bindings.inPlace) target->failInPlace(error);
  }
};

}  // namespace cudnn_gru
