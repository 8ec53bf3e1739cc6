#pragma once

#include "addon/environment.h"

namespace cudnn_gru {

// Runs one call from JavaScript, so that no C++ exception ever leaves the addon.
template <class Body>
napi_value guarded(napi_env env, Body body) {
  try {
    Environment& environment = Environment::of(env);
    ++environment.calls;
    return body(environment);
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const Error& error) {
    toJavaScript(env, error).ThrowAsJavaScriptException();
  } catch (const std::bad_alloc&) {
    toJavaScript(env, Error("ERR_OUT_OF_MEMORY", "not enough memory")).ThrowAsJavaScriptException();
  } catch (const std::exception& error) {
    toJavaScript(env, Error("ERR_INTERNAL", error.what())).ThrowAsJavaScriptException();
  }
  return nullptr;
}

}  // namespace cudnn_gru
