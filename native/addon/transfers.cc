#include "addon/transfers.h"

#include <cstring>
#include <memory>
#include <optional>
#include <vector>

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
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  const napi_typedarray_type type = array.TypedArrayType();
  CUDNN_GRU_CHECK(type == napi_float32_array || type == napi_int32_array,
                  "data is neither a Float32Array nor an Int32Array");
  void* data = static_cast<char*>(array.ArrayBuffer().Data()) + array.ByteOffset();
  return {data, array.ElementLength(), type == napi_float32_array ? DType::kFloat32 : DType::kInt32};
}

std::vector<int32_t> int32s(const Napi::Value& value, const char* name) {
  CUDNN_GRU_CHECK(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array,
                  std::string(name) + " is not an Int32Array");
  const Napi::Int32Array array = value.As<Napi::Int32Array>();
  return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
}

double numberAt(const Napi::CallbackInfo& info, size_t index) {
  CUDNN_GRU_CHECK(info[index].IsNumber(), "argument " + std::to_string(index) + " is not a number");
  return info[index].As<Napi::Number>().DoubleValue();
}

Queue& queueOf(Environment& environment, const View& view) {
  for (const auto& [name, queue] : environment.openDevices())
    if (&queue->device() == &view.buffer->device()) return *queue;
  throw Error("ERR_INTERNAL", "a buffer's device is not open here");
}

napi_value upload(Environment& environment, const Napi::CallbackInfo& info) {
  Queue& queue = environment.queue(numberAt(info, 0));
  const HostData host = hostData(info[1]);
  const auto buffer = std::make_shared<Buffer>(queue.sharedDevice(), host.count * kBytesPerElement);
  buffer->allocate();
  if (host.count > 0) queue.device().copyFromHost(buffer->data(), host.data, buffer->bytes());
  buffer->markWritten();
  environment.define(numberAt(info, 2), View{buffer, 0, host.count, host.dtype});
  environment.reportPending();
  return info.Env().Undefined();
}

napi_value divide(Environment& environment, const Napi::CallbackInfo& info) {
  const View whole = environment.view(numberAt(info, 0));
  const auto handles = int32s(info[1], "handles"), counts = int32s(info[2], "counts");
  CUDNN_GRU_CHECK(handles.size() == counts.size(), "one count a handle");
  size_t offset = 0;
  for (int32_t count : counts) {
    CUDNN_GRU_CHECK(count >= 0, "negative count");
    offset += size_t(count);
  }
  CUDNN_GRU_CHECK(offset == whole.count, "the parts do not make up the whole");
  offset = whole.offset;
  for (size_t i = 0; i < handles.size(); ++i) {
    environment.define(handles[i], View{whole.buffer, offset, size_t(counts[i]), whole.dtype});
    offset += size_t(counts[i]);
  }
  return info.Env().Undefined();
}

class WriteCommand : public Command {
 public:
  WriteCommand(View view, const void* data)
      : view_(std::move(view)),
        data_(static_cast<const char*>(data), static_cast<const char*>(data) + view_.count * kBytesPerElement) {}
  void run(Device& device) noexcept override {
    try {
      view_.buffer->allocate();
      device.copyFromHost(static_cast<char*>(view_.buffer->data()) + view_.offset * kBytesPerElement, data_.data(),
                          data_.size());
      view_.buffer->markWritten();
    } catch (const Error& error) {
      view_.buffer->failInPlace(error);
    }
  }

 private:
  View view_;
  std::vector<char> data_;  // JavaScript may change its array at once
};

napi_value write(Environment& environment, const Napi::CallbackInfo& info) {
  const View& view = environment.view(numberAt(info, 0));
  const HostData host = hostData(info[1]);
  CUDNN_GRU_CHECK(host.count == view.count && host.dtype == view.dtype, "data does not fit the tensor");
  queueOf(environment, view).push(std::make_unique<WriteCommand>(view, host.data));
  return info.Env().Undefined();
}

class ReadCommand : public Command {
 public:
  ReadCommand(View view, void* destination, CopyDone done)
      : view_(std::move(view)), destination_(destination), done_(std::move(done)) {}
  void run(Device& device) noexcept override {
    Buffer& buffer = *view_.buffer;
    if (buffer.failure()) return done_(buffer.failure());
    if (auto skipped = buffer.takeSkippedWrite()) return done_(skipped);
    if (view_.count == 0) return done_(std::nullopt);
    if (!buffer.data()) return done_(Error("ERR_INTERNAL", "a buffer is read before it is written"));
    device.copyToHost(destination_, static_cast<const char*>(buffer.data()) + view_.offset * kBytesPerElement,
                      view_.count * kBytesPerElement, done_);
  }
  void abandon() noexcept override { done_(Error("ERR_ABORTED", "the environment is closing")); }

 private:
  View view_;
  void* destination_;
  CopyDone done_;
};

napi_value read(Environment& environment, const Napi::CallbackInfo& info) {
  const View& view = environment.view(numberAt(info, 0));
  const HostData host = hostData(info[1]);
  CUDNN_GRU_CHECK(host.count == view.count && host.dtype == view.dtype, "the array does not fit the tensor");
  auto deferred = std::make_shared<Napi::Promise::Deferred>(info.Env());
  // Keeps the array alive, and in place, until the copy is done.
  auto array = std::make_shared<Napi::ObjectReference>(Napi::Persistent(info[1].As<Napi::Object>()));
  array->SuppressDestruct();  // an environment that closes first takes the reference with it
  environment.expectCompletion();
  auto done = [&environment, deferred, array](const std::optional<Error>& error) {
    environment.complete([deferred, array, error](Napi::Env env) {
      const Napi::HandleScope scope(env);
      array->Reset();
      if (error)
        deferred->Reject(toJavaScript(env, *error).Value());
      else
        deferred->Resolve(env.Undefined());
    });
  };
  queueOf(environment, view).push(std::make_unique<ReadCommand>(view, host.data, std::move(done)));
  return deferred->Promise();
}

napi_value readSync(Environment& environment, const Napi::CallbackInfo& info) {
  const View& view = environment.view(numberAt(info, 0));
  const HostData host = hostData(info[1]);
  CUDNN_GRU_CHECK(host.count == view.count && host.dtype == view.dtype, "the array does not fit the tensor");
  struct Result {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::optional<Error> error;
  } result;
  queueOf(environment, view)
      .push(std::make_unique<ReadCommand>(view, host.data, [&result](const std::optional<Error>& error) {
        std::lock_guard<std::mutex> lock(result.mutex);
        result.error = error;
        result.done = true;
        result.changed.notify_all();
      }));
  std::unique_lock<std::mutex> lock(result.mutex);
  result.changed.wait(lock, [&result] { return result.done; });
  if (result.error) throw *result.error;
  return info.Env().Undefined();
}

napi_value release(Environment& environment, const Napi::CallbackInfo& info) {
  for (int32_t handle : int32s(info[0], "handles")) environment.release(handle);
  environment.reportPending();
  return info.Env().Undefined();
}

napi_value drain(Environment& environment, const Napi::CallbackInfo& info) {
  Queue& queue = environment.queue(numberAt(info, 0));
  auto deferred = std::make_shared<Napi::Promise::Deferred>(info.Env());
  const bool waits = queue.notifyAt(size_t(numberAt(info, 1)), [&environment, deferred] {
    environment.complete([deferred](Napi::Env env) {
      const Napi::HandleScope scope(env);
      deferred->Resolve(env.Undefined());
    });
  });
  if (!waits) return info.Env().Undefined();
  environment.expectCompletion();
  return deferred->Promise();
}

napi_value pending(Environment& environment, const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(environment.queue(numberAt(info, 0)).pending()));
}

template <napi_value (*body)(Environment&, const Napi::CallbackInfo&)>
Napi::Value call(const Napi::CallbackInfo& info) {
  return Napi::Value(info.Env(),
                     guarded(info.Env(), [&](Environment& environment) { return body(environment, info); }));
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
