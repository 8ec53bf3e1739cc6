#include "addon/transfers.h"

#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "addon/answer.h"
#include "addon/guard.h"

namespace cudnn_gru {

namespace {

struct HostData {
  void* data;
  size_t count;
  DType dtype;
};

HostData hostData(const Napi::Value& value) {
  CUDNN_GRU_CHECK(value.IsTypedArray(), "data is not a typed array");
  HostData host{};
  napi_typedarray_type type;
  const napi_status status =
      napi_get_typedarray_info(value.Env(), value, &type, &host.count, &host.data, nullptr, nullptr);
  CUDNN_GRU_CHECK(status == napi_ok && (type == napi_float32_array || type == napi_int32_array),
                  "data is neither a Float32Array nor an Int32Array");
  host.dtype = type == napi_float32_array ? DType::kFloat32 : DType::kInt32;
  return host;
}

std::vector<int32_t> int32s(const Napi::Value& value, const char* name) {
  CUDNN_GRU_CHECK(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array,
                  std::string(name) + " is not an Int32Array");
  const Napi::Int32Array array = value.As<Napi::Int32Array>();
  return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
}

std::vector<double> doubles(const Napi::Value& value, const char* name) {
  CUDNN_GRU_CHECK(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array,
                  std::string(name) + " is not a Float64Array");
  const Napi::Float64Array array = value.As<Napi::Float64Array>();
  return std::vector<double>(array.Data(), array.Data() + array.ElementLength());
}

double numberAt(const Napi::CallbackInfo& info, size_t index) {
  CUDNN_GRU_CHECK(info[index].IsNumber(), "argument " + std::to_string(index) + " is not a number");
  return info[index].As<Napi::Number>().DoubleValue();
}

// A copy of JavaScript's numbers (it may change its array at once), to be written in the queue's order.
class WriteCommand : public Command {
 public:
  WriteCommand(View view, const void* data)
      : view_(std::move(view)), data_(static_cast<const char*>(data), static_cast<const char*>(data) + view_.bytes()) {}

  void run(Device& device) override {
    Buffer& buffer = *view_.buffer;
    // A part of a block whose other parts were never computed cannot be mended alone.
    if (buffer.failure() && view_.bytes() != buffer.bytes()) throw *buffer.failure();
    buffer.allocate();
    if (!data_.empty()) device.copyFromHost(view_.data(), data_.data(), data_.size());
    buffer.markWritten();
  }
  void fail(const Error& error) noexcept override {
    if (view_.buffer->data())
      view_.buffer->failInPlace(error);
    else
      view_.buffer->fail(error);
  }

 private:
  View view_;
  std::vector<char> data_;
};

napi_value upload(Environment& environment, const Napi::CallbackInfo& info) {
  Queue& queue = environment.queue(numberAt(info, 0));
  const HostData host = hostData(info[1]);
  const auto buffer = std::make_shared<Buffer>(queue.sharedDevice(), host.count * bytesOf(host.dtype));
  const View view{buffer, 0, host.count, host.dtype};
  if (queue.device().sharesHostMemory()) {
    buffer->allocate();
    if (host.count > 0) queue.device().copyFromHost(buffer->data(), host.data, buffer->bytes());
    buffer->markWritten();
    environment.define(numberAt(info, 2), view);
  } else {
    environment.define(numberAt(info, 2), view);
    queue.push(std::make_unique<WriteCommand>(view, host.data));
  }
  environment.reportMemory();
  return info.Env().Undefined();
}

napi_value divide(Environment& environment, const Napi::CallbackInfo& info) {
  const View whole = environment.view(numberAt(info, 0));
  const auto handles = int32s(info[1], "handles");
  const auto offsets = doubles(info[2], "offsets"), counts = doubles(info[3], "counts");
  CUDNN_GRU_CHECK(handles.size() == offsets.size() && handles.size() == counts.size(), "one offset and count a handle");
  for (size_t i = 0; i < handles.size(); ++i)
    CUDNN_GRU_CHECK(offsets[i] >= 0 && counts[i] >= 0 && offsets[i] + counts[i] <= double(whole.count),
                    "a part reaches past the whole");
  for (size_t i = 0; i < handles.size(); ++i)
    environment.define(handles[i],
                       View{whole.buffer, whole.offset + size_t(offsets[i]), size_t(counts[i]), whole.dtype});
  return info.Env().Undefined();
}

napi_value write(Environment& environment, const Napi::CallbackInfo& info) {
  const View& view = environment.view(numberAt(info, 0));
  const HostData host = hostData(info[1]);
  CUDNN_GRU_CHECK(host.count == view.count && host.dtype == view.dtype, "data does not fit the tensor");
  environment.queueOf(view).push(std::make_unique<WriteCommand>(view, host.data));
  return info.Env().Undefined();
}

class ReadCommand : public Command {
 public:
  ReadCommand(View view, void* destination, CopyDone done)
      : view_(std::move(view)), destination_(destination), done_(std::move(done)) {}
  void run(Device& device) override {
    Buffer& buffer = *view_.buffer;
    if (buffer.failure()) throw *buffer.failure();
    if (const auto skipped = buffer.takeSkippedWrite()) throw *skipped;
    CUDNN_GRU_CHECK(buffer.data() || view_.count == 0, "a buffer is read before it is written");
    if (view_.count == 0) return done_(std::nullopt);
    device.copyToHost(destination_, view_.data(), view_.bytes(), done_);
  }
  void fail(const Error& error) noexcept override { done_(error); }
  double work() const override { return 2.0 * double(view_.bytes()); }
  bool isAwaited() const override { return true; }

 private:
  View view_;
  void* destination_;
  CopyDone done_;
};

void settle(Napi::Env env, const Napi::Promise::Deferred& promise, const std::optional<Error>& error) {
  if (error)
    promise.Reject(toJavaScript(env, *error).Value());
  else
    promise.Resolve(env.Undefined());
}

napi_value read(Environment& environment, const Napi::CallbackInfo& info) {
  const View& view = environment.view(numberAt(info, 0));
  const HostData host = hostData(info[1]);
  CUDNN_GRU_CHECK(host.count == view.count && host.dtype == view.dtype, "the array does not fit the tensor");
  Queue& queue = environment.queueOf(view);
  auto deferred = std::make_shared<Napi::Promise::Deferred>(info.Env());
  std::optional<Error> failure;
  ReadCommand now(view, host.data, [&failure](const std::optional<Error>& error) { failure = error; });
  if (queue.runNow(now)) {
    settle(info.Env(), *deferred, failure);
    return deferred->Promise();
  }
  // Keeps the array alive, and in place, until the copy is done.
  auto array = std::make_shared<Napi::ObjectReference>(Napi::Persistent(info[1].As<Napi::Object>()));
  array->SuppressDestruct();  // an environment that closes first takes the reference with it
  auto done = [&environment, deferred, array](const std::optional<Error>& error) {
    environment.complete([deferred, array, error](Napi::Env env) {
      const Napi::HandleScope scope(env);
      array->Reset();
      settle(env, *deferred, error);
    });
  };
  queue.push(std::make_unique<ReadCommand>(view, host.data, std::move(done)));
  environment.expectCompletion();
  return deferred->Promise();
}

napi_value readSync(Environment& environment, const Napi::CallbackInfo& info) {
  const View& view = environment.view(numberAt(info, 0));
  const HostData host = hostData(info[1]);
  CUDNN_GRU_CHECK(host.count == view.count && host.dtype == view.dtype, "the array does not fit the tensor");
  Queue& queue = environment.queueOf(view);
  Answer answer;
  auto command = std::make_unique<ReadCommand>(view, host.data,
                                               [&answer](const std::optional<Error>& error) { answer.give(error); });
  if (!queue.runNow(*command)) queue.push(std::move(command));
  answer.wait();
  return info.Env().Undefined();
}

napi_value release(Environment& environment, const Napi::CallbackInfo& info) {
  for (int32_t handle : int32s(info[0], "handles")) environment.release(handle);
  environment.reportMemory();
  return info.Env().Undefined();
}

class FinishCommand : public Command {
 public:
  explicit FinishCommand(CopyDone done) : done_(std::move(done)) {}
  void run(Device& device) override { device.finish(done_); }
  void fail(const Error& error) noexcept override { done_(error); }

 private:
  CopyDone done_;
};

napi_value drain(Environment& environment, const Napi::CallbackInfo& info) {
  Queue& queue = environment.queue(numberAt(info, 0));
  const double depth = numberAt(info, 1);
  auto deferred = std::make_shared<Napi::Promise::Deferred>(info.Env());
  auto done = [&environment, deferred](const std::optional<Error>& error) {
    environment.complete([deferred, error](Napi::Env env) {
      const Napi::HandleScope scope(env);
      settle(env, *deferred, error);
    });
  };
  if (depth == 0)
    queue.push(std::make_unique<FinishCommand>(done));
  else if (!queue.notifyAt(size_t(depth), [done] { done(std::nullopt); }))
    return info.Env().Undefined();
  environment.expectCompletion();
  return deferred->Promise();
}

napi_value pending(Environment& environment, const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(environment.queue(numberAt(info, 0)).pending()));
}

}  // namespace

void exportTransfers(Napi::Env env, Napi::Object exports) {
  exports.Set("upload", Napi::Function::New<call<upload>>(env, "upload"));
  exports.Set("divide", Napi::Function::New<call<divide>>(env, "divide"));
  exports.Set("write", Napi::Function::New<call<write>>(env, "write"));
  exports.Set("read", Napi::Function::New<call<read>>(env, "read"));
  exports.Set("readSync", Napi::Function::New<call<readSync>>(env, "readSync"));
  exports.Set("release", Napi::Function::New<call<release>>(env, "release"));
  exports.Set("drain", Napi::Function::New<call<drain>>(env, "drain"));
  exports.Set("pending", Napi::Function::New<call<pending>>(env, "pending"));
}

}  // namespace cudnn_gru
