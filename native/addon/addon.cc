#include <napi.h>

#include "addon/devices.h"
#include "addon/environment.h"
#include "addon/operations.h"
#include "addon/programs.h"
#include "addon/transfers.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new cudnn_gru::Environment(env));
  cudnn_gru::exportOperations(env, exports);
  cudnn_gru::exportTransfers(env, exports);
  cudnn_gru::exportPrograms(env, exports);
  cudnn_gru::exportDevices(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(cudnn_gru, initialize)
