#pragma once

#include <napi.h>

namespace cudnn_gru {

// Recording a program and running it.
void exportPrograms(Napi::Env env, Napi::Object exports);

}  // namespace cudnn_gru
