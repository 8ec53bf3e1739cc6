#pragma once

#include <napi.h>

namespace cudnn_gru {

// Adds one function for each row of the operation table: name(device, ...arguments) -> number of commands that now
// wait.
void exportOperations(Napi::Env env, Napi::Object exports);

}  // namespace cudnn_gru
