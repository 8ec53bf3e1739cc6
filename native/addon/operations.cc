#include "addon/operations.h"

#include "addon/argument_reader.h"
#include "addon/guard.h"

namespace cudnn_gru {

namespace {

template <class Operation, void (Device::*method)(const Operation&)>
napi_value enqueue(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) {
    ArgumentReader reader(environment, env, info);
    auto command = std::make_unique<OperationCommand<Operation, method>>();
    command->operation.fields(reader);
    reader.commit(command->bindings);
    const size_t pending = reader.submit(std::move(command));
    environment.reportMemory();
    napi_value result;
    napi_create_double(env, double(pending), &result);
    return result;
  });
}

void exportFunction(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

void exportOperations(Napi::Env env, Napi::Object exports) {
#define CUDNN_GRU_EXPORT(name, Type) exportFunction(env, exports, #name, enqueue<ops::Type, &Device::name>);
  CUDNN_GRU_OPERATIONS(CUDNN_GRU_EXPORT)
#undef CUDNN_GRU_EXPORT
}

}  // namespace cudnn_gru
