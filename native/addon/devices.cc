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

napi_value setThreads(Environment& environment, const Napi::CallbackInfo& info) {
  CUDNN_GRU_CHECK(info[0].IsNumber() && info[1].IsNumber(), "device and threads are not numbers");
  Queue& queue = environment.queue(info[0].As<Napi::Number>().DoubleValue());
  queue.wait();  // the team changes between operations
  queue.device().setThreads(info[1].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

napi_value calls(Environment& environment, const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(environment.calls));
}

napi_value setErrorClass(Environment& environment, const Napi::CallbackInfo& info) {
  CUDNN_GRU_CHECK(info[0].IsFunction(), "not a class");
  environment.errorClass = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

template <napi_value (*body)(Environment&, const Napi::CallbackInfo&)>
Napi::Value call(const Napi::CallbackInfo& info) {
  return Napi::Value(info.Env(),
                     guarded(info.Env(), [&](Environment& environment) { return body(environment, info); }));
}

}  // namespace

void exportDevices(Napi::Env env, Napi::Object exports) {
  exports.Set("openDevice", Napi::Function::New<call<openDevice>>(env, "openDevice"));
  exports.Set("devices", Napi::Function::New<call<devices>>(env, "devices"));
  exports.Set("memoryUse", Napi::Function::New<call<memoryUse>>(env, "memoryUse"));
  exports.Set("releaseCache", Napi::Function::New<call<releaseCache>>(env, "releaseCache"));
  exports.Set("threads", Napi::Function::New<call<threads>>(env, "threads"));
  exports.Set("setThreads", Napi::Function::New<call<setThreads>>(env, "setThreads"));
  exports.Set("setErrorClass", Napi::Function::New<call<setErrorClass>>(env, "setErrorClass"));
  exports.Set("calls", Napi::Function::New<call<calls>>(env, "calls"));
}

}  // namespace cudnn_gru
