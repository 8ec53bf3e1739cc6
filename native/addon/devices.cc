#include "addon/devices.h"

#include "addon/guard.h"
#include "addon/registry.h"

namespace cudnn_gru {

namespace {

Device& deviceAt(Environment& environment, const Napi::CallbackInfo& info) {
  CUDNN_GRU_CHECK(info[0].IsNumber(), "device is not a number");
  return environment.queue(info[0].As<Napi::Number>().DoubleValue()).device();
}

napi_value openDevice(Environment& environment, const Napi::CallbackInfo& info) {
  CUDNN_GRU_CHECK(info[0].IsString(), "name is not a string");
  return Napi::Number::New(info.Env(), double(environment.openDevice(info[0].As<Napi::String>().Utf8Value())));
}

napi_value devices(Environment&, const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  for (const Backend* backend : backends())
    for (const DeviceReport& report : backend->devices()) {
      Napi::Object entry = Napi::Object::New(info.Env());
      entry.Set("name", report.name);
      entry.Set("available", report.available);
      entry.Set("description", report.description);
      entry.Set("reason", report.reason);
      Napi::Array details = Napi::Array::New(info.Env());
      for (const std::string& line : report.details) details.Set(details.Length(), line);
      entry.Set("details", details);
      result.Set(result.Length(), entry);
    }
  return result;
}

napi_value memoryUse(Environment& environment, const Napi::CallbackInfo& info) {
  const MemoryUse use = deviceAt(environment, info).memoryUse();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("bytesInUse", double(use.bytesInUse));
  result.Set("peakBytes", double(use.peakBytes));
  result.Set("bytesReserved", double(use.bytesReserved));
  return result;
}

napi_value releaseCache(Environment& environment, const Napi::CallbackInfo& info) {
  deviceAt(environment, info).releaseCache();
  return info.Env().Undefined();
}

napi_value threads(Environment& environment, const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), deviceAt(environment, info).threads());
}

class SetThreadsCommand : public Command {
 public:
  explicit SetThreadsCommand(int threads) : threads_(threads) {}
  void run(Device& device) override { device.setThreads(threads_); }
  void fail(const Error&) noexcept override {}  // the team stays as it is

 private:
  int threads_;
};

napi_value setThreads(Environment& environment, const Napi::CallbackInfo& info) {
  CUDNN_GRU_CHECK(info[0].IsNumber() && info[1].IsNumber(), "device and threads are not numbers");
  Queue& queue = environment.queue(info[0].As<Napi::Number>().DoubleValue());
  // Between operations, so by the queue's thread.
  queue.push(std::make_unique<SetThreadsCommand>(info[1].As<Napi::Number>().Int32Value()));
  return info.Env().Undefined();
}

napi_value gruLayout(Environment& environment, const Napi::CallbackInfo& info) {
  const Device& device = deviceAt(environment, info);
  int64_t sizes[4];
  for (size_t i = 0; i < 4; ++i) {
    CUDNN_GRU_CHECK(info[i + 1].IsNumber(), "a size is not a number");
    sizes[i] = info[i + 1].As<Napi::Number>().Int64Value();
    CUDNN_GRU_CHECK(sizes[i] >= 1 && sizes[i] <= (1 << 24), "a size is out of range");
  }
  CUDNN_GRU_CHECK(info[5].IsBoolean(), "hasBias is not a boolean");
  const GruLayout layout = device.gruLayout(sizes[0], sizes[1], sizes[2], sizes[3], info[5].As<Napi::Boolean>());
  Napi::Float64Array result = Napi::Float64Array::New(info.Env(), layout.offsets.size() + 1);
  result[0] = double(layout.elements);
  for (size_t i = 0; i < layout.offsets.size(); ++i) result[i + 1] = double(layout.offsets[i]);
  return result;
}

napi_value mostGruSteps(Environment& environment, const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(deviceAt(environment, info).mostGruSteps()));
}

napi_value choices(Environment& environment, const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  for (const std::string& line : deviceAt(environment, info).choices()) result.Set(result.Length(), line);
  return result;
}

napi_value followChoices(Environment& environment, const Napi::CallbackInfo& info) {
  CUDNN_GRU_CHECK(info[1].IsArray(), "lines is not an array");
  const Napi::Array given = info[1].As<Napi::Array>();
  std::vector<std::string> lines;
  for (uint32_t i = 0; i < given.Length(); ++i) {
    const Napi::Value line = given[i];
    CUDNN_GRU_CHECK(line.IsString(), "a line is not a string");
    lines.push_back(line.As<Napi::String>().Utf8Value());
  }
  deviceAt(environment, info).followChoices(lines);
  return info.Env().Undefined();
}

napi_value calls(Environment& environment, const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(environment.calls));
}

napi_value stop(Environment& environment, const Napi::CallbackInfo& info) {
  environment.stop();
  return info.Env().Undefined();
}

napi_value setErrorClass(Environment& environment, const Napi::CallbackInfo& info) {
  CUDNN_GRU_CHECK(info[0].IsFunction(), "not a class");
  environment.errorClass = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

}  // namespace

void exportDevices(Napi::Env env, Napi::Object exports) {
  exports.Set("openDevice", Napi::Function::New<call<openDevice>>(env, "openDevice"));
  exports.Set("devices", Napi::Function::New<call<devices>>(env, "devices"));
  exports.Set("memoryUse", Napi::Function::New<call<memoryUse>>(env, "memoryUse"));
  exports.Set("releaseCache", Napi::Function::New<call<releaseCache>>(env, "releaseCache"));
  exports.Set("threads", Napi::Function::New<call<threads>>(env, "threads"));
  exports.Set("setThreads", Napi::Function::New<call<setThreads>>(env, "setThreads"));
  exports.Set("gruLayout", Napi::Function::New<call<gruLayout>>(env, "gruLayout"));
  exports.Set("mostGruSteps", Napi::Function::New<call<mostGruSteps>>(env, "mostGruSteps"));
  exports.Set("choices", Napi::Function::New<call<choices>>(env, "choices"));
  exports.Set("followChoices", Napi::Function::New<call<followChoices>>(env, "followChoices"));
  exports.Set("setErrorClass", Napi::Function::New<call<setErrorClass>>(env, "setErrorClass"));
  exports.Set("stop", Napi::Function::New<call<stop>>(env, "stop"));
  exports.Set("calls", Napi::Function::New<call<calls>>(env, "calls"));
}

}  // namespace cudnn_gru
