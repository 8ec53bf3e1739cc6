#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "device/queue.h"

namespace cudnn_gru {

class Program;

// The JavaScript form of an error: a CudnnGruError.
Napi::Error toJavaScript(Napi::Env env, const Error& error);

// All state of the addon in one JavaScript environment (the main thread, or a worker thread): the handles, the devices
// with their queues, and the way back from the queues' threads. Nothing is shared between environments.
class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();
  static Environment& of(napi_env env);

  // Handles are small numbers that TypeScript chooses and recycles; 0 means 'none'.
  const View& view(double handle) const;
  void define(double handle, View view);  // throws if the handle is in use
  void release(double handle);            // a handle that holds nothing is left alone

  // Devices are opened once and named by their position from then on.
  size_t openDevice(const std::string& name);
  Queue& queue(double device);
  Queue& queueOf(const View& view);

  // Between start and take, operations are recorded instead of queued. Start answers false where the queue's device
  // cannot run a program.
  bool startRecording(Queue& queue);
  std::unique_ptr<Program> takeRecording();
  Program* recording() const { return recording_.get(); }

  // Runs `then` on the JavaScript thread; callable from any thread. The event loop stays alive from expectCompletion on
  // JavaScript's side until the completion has run.
  void expectCompletion();
  void complete(std::function<void(Napi::Env)> then);

  // The process is ending: stops all queues, also of devices that are opened later.
  void stop();

  // Tells V8 how much native memory the devices hold, in steps large enough not to cost anything.
  void reportMemory();

  uint64_t calls = 0;  // crossings from JavaScript
  Napi::FunctionReference errorClass;

 private:
  struct OpenDevice {
    std::string name;
    std::unique_ptr<Queue> queue;
  };
  void close();
  void runCompletions(Napi::Env env);

  Napi::Env env_;
  std::vector<View> slots_;
  std::vector<OpenDevice> devices_;
  std::unique_ptr<Program> recording_;
  int64_t reportedBytes_ = 0;
  bool stopped_ = false;

  std::mutex completionMutex_;
  std::vector<std::function<void(Napi::Env)>> completions_;
  size_t expected_ = 0;  // JavaScript thread only
  Napi::ThreadSafeFunction wake_;
};

}  // namespace cudnn_gru
