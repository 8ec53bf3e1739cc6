#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "device/queue.h"

namespace cudnn_gru {

// What a command touches, collected while its arguments are read. The operation's views own the buffers.
struct Bindings {
  std::vector<Buffer*> inputs, outputs, inPlace;
};

template <class Operation, class = void>
constexpr bool kKnowsWork = false;
template <class Operation>
constexpr bool kKnowsWork<Operation, std::void_t<decltype(std::declval<const Operation&>().work())>> = true;

// An operation of the table, waiting in the queue.
template <class Operation, void (Device::*method)(const Operation&)>
class OperationCommand : public Command {
 public:
  Operation operation{};
  Bindings bindings;

  void run(Device& device) override {
    for (const Buffer* input : bindings.inputs) requireReadable(*input);
    for (const Buffer* target : bindings.inPlace) requireReadable(*target);
    for (Buffer* output : bindings.outputs) output->allocate();
    (device.*method)(operation);
    for (Buffer* output : bindings.outputs) output->markWritten();
    for (Buffer* target : bindings.inPlace) target->markWritten();
  }

  double work() const override {
    if constexpr (kKnowsWork<Operation>) return operation.work();
    constexpr double kWorkOfByte = 4;  // a tanh for each float
    size_t bytes = 0;
    for (const auto* buffers : {&bindings.inputs, &bindings.outputs, &bindings.inPlace})
      for (const Buffer* buffer : *buffers) bytes += buffer->bytes();
    return kWorkOfByte * double(bytes);
  }

  void fail(const Error& error) noexcept override {
    for (Buffer* output : bindings.outputs) output->fail(error);
    for (Buffer* target : bindings.inPlace) target->failInPlace(error);
  }

 private:
  static void requireReadable(const Buffer& buffer) {
    if (buffer.failure()) throw *buffer.failure();
    CUDNN_GRU_CHECK(buffer.data() || buffer.bytes() == 0, "a buffer is read before it is written");
  }
};

}  // namespace cudnn_gru
