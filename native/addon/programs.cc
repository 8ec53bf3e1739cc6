#include "addon/programs.h"

#include "addon/guard.h"
#include "addon/program.h"

namespace cudnn_gru {

namespace {

double numberAt(const Napi::CallbackInfo& info, size_t index) {
  CUDNN_GRU_CHECK(info[index].IsNumber(), "argument " + std::to_string(index) + " is not a number");
  return info[index].As<Napi::Number>().DoubleValue();
}

Program& programAt(const Napi::CallbackInfo& info, size_t index) {
  CUDNN_GRU_CHECK(info[index].IsExternal(), "not a program");
  return *info[index].As<Napi::External<Program>>().Data();
}

float* floatsAt(const Napi::CallbackInfo& info, size_t index, size_t count) {
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(info.Env(), info[index], &type, &length, &data, nullptr, nullptr);
  CUDNN_GRU_CHECK(status == napi_ok && type == napi_float32_array && length == count,
                  "not a Float32Array of this size");
  return static_cast<float*>(data);
}

// False, and nothing is recorded, where the device cannot run at once.
napi_value startRecording(Environment& environment, const Napi::CallbackInfo& info) {
  Queue& queue = environment.queue(numberAt(info, 0));
  return Napi::Boolean::New(info.Env(), environment.startRecording(queue));
}

napi_value finishRecording(Environment& environment, const Napi::CallbackInfo& info) {
  const View frame = environment.view(numberAt(info, 0)), state = environment.view(numberAt(info, 1)),
             output = environment.view(numberAt(info, 2));
  std::unique_ptr<Program> program = environment.takeRecording();
  CUDNN_GRU_CHECK(program, "nothing is recorded");
  program->finish(frame, state, output);
  return Napi::External<Program>::New(info.Env(), program.release(),
                                      [](Napi::Env, Program* finished) { delete finished; });
}

napi_value abandonRecording(Environment& environment, const Napi::CallbackInfo& info) {
  environment.takeRecording();
  return info.Env().Undefined();
}

napi_value refreshProgram(Environment& environment, const Napi::CallbackInfo& info) {
  programAt(info, 0).refresh();
  environment.reportMemory();
  return info.Env().Undefined();
}

napi_value runProgram(Environment& environment, const Napi::CallbackInfo& info) {
  Program& program = programAt(info, 0);
  const View& state = environment.view(numberAt(info, 1));
  program.run(state, floatsAt(info, 2, program.frameSize()), floatsAt(info, 3, program.outputSize()));
  return info.Env().Undefined();
}

}  // namespace

void exportPrograms(Napi::Env env, Napi::Object exports) {
  exports.Set("startRecording", Napi::Function::New<call<startRecording>>(env, "startRecording"));
  exports.Set("finishRecording", Napi::Function::New<call<finishRecording>>(env, "finishRecording"));
  exports.Set("abandonRecording", Napi::Function::New<call<abandonRecording>>(env, "abandonRecording"));
  exports.Set("refreshProgram", Napi::Function::New<call<refreshProgram>>(env, "refreshProgram"));
  exports.Set("runProgram", Napi::Function::New<call<runProgram>>(env, "runProgram"));
}

}  // namespace cudnn_gru
