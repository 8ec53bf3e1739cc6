#pragma once

#include <new>

#include "addon/environment.h"

namespace cudnn_gru {

// Runs one call from JavaScript, so that no C++ exception ever leaves the addon.
template <class Body>
napi_value guarded(napi_env env, Body body) {
  try {
    try {
      Environment& environment = Environment::of(env);
      ++environment.calls;
      return body(environment);
    } catch (const Error& error) {
      toJavaScript(env, error).ThrowAsJavaScriptException();
    } catch (const std::bad_alloc&) {
      toJavaScript(env, Error("ERR_OUT_OF_MEMORY", "not enough memory")).ThrowAsJavaScriptException();
    } catch (const std::exception& error) {
      if (dynamic_cast<const Napi::Error*>(&error)) throw;
      toJavaScript(env, Error("ERR_INTERNAL", error.what())).ThrowAsJavaScriptException();
    }
  } catch (const Napi::Error& error) {
    // Thrown by JavaScript itself: also when it can no longer run here, or its stack is full.
    error.ThrowAsJavaScriptException();
  } catch (...) {
  }
  return nullptr;
}

// A function for Napi::Function::New.
template <napi_value (*body)(Environment&, const Napi::CallbackInfo&)>
Napi::Value call(const Napi::CallbackInfo& info) {
  return Napi::Value(info.Env(),
                     guarded(info.Env(), [&](Environment& environment) { return body(environment, info); }));
}

}  // namespace cudnn_gru
