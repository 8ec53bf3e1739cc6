#include "addon/environment.h"

#include <cmath>

#include "addon/program.h"
#include "addon/registry.h"

namespace cudnn_gru {

namespace {

constexpr double kMaxHandles = 16 << 20;
constexpr int64_t kReportStep = 4 << 20;  // bytes

}  // namespace

Napi::Error toJavaScript(Napi::Env env, const Error& error) {
  const Napi::FunctionReference& errorClass = Environment::of(env).errorClass;
  if (errorClass.IsEmpty()) return Napi::Error::New(env, error.what());
  const Napi::Object made =
      errorClass.New({Napi::String::New(env, error.code()), Napi::String::New(env, error.what())});
  return Napi::Error(env, made);
}

Environment::Environment(Napi::Env env) : env_(env) {
  wake_ =
      Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "cudnn-gru", 0, 1);
  wake_.Unref(env);
  // After the thread-safe function's own hook, so before it in the order of closing: the queues' threads have ended
  // when it goes away.
  env.AddCleanupHook([](Environment* self) { self->close(); }, this);
}

Environment::~Environment() = default;

Environment& Environment::of(napi_env env) { return *Napi::Env(env).GetInstanceData<Environment>(); }

void Environment::close() {
  recording_.reset();
  devices_.clear();
  slots_.clear();
  errorClass.Reset();
  wake_.Release();
}

void Environment::stop() {
  stopped_ = true;
  for (const OpenDevice& device : devices_) device.queue->stop();
}

const View& Environment::view(double handle) const {
  const size_t index = handle > 0 && handle < slots_.size() && handle == std::floor(handle) ? size_t(handle) : 0;
  if (index == 0 || !slots_[index].buffer) throw Error("ERR_DISPOSED", "a tensor handle holds nothing: disposed?");
  return slots_[index];
}

void Environment::define(double handle, View view) {
  CUDNN_GRU_CHECK(handle > 0 && handle < kMaxHandles && handle == std::floor(handle), "handle out of range");
  const size_t index = size_t(handle);
  if (index >= slots_.size()) slots_.resize(std::max(index + 1, slots_.size() * 2));
  CUDNN_GRU_CHECK(!slots_[index].buffer, "handle already in use");
  slots_[index] = std::move(view);
}

void Environment::release(double handle) {
  if (!(handle > 0 && handle < slots_.size())) return;
  slots_[size_t(handle)] = View();
}

void Environment::reportMemory() {
  int64_t held = 0;
  for (const OpenDevice& device : devices_) held += int64_t(device.queue->device().bytesInUse());
  if (std::abs(held - reportedBytes_) < kReportStep) return;
  Napi::MemoryManagement::AdjustExternalMemory(env_, held - reportedBytes_);
  reportedBytes_ = held;
}

size_t Environment::openDevice(const std::string& name) {
  for (size_t i = 0; i < devices_.size(); ++i)
    if (devices_[i].name == name) return i;
  devices_.push_back({name, std::make_unique<Queue>(cudnn_gru::openDevice(name))});
  if (stopped_) devices_.back().queue->stop();
  return devices_.size() - 1;
}

Queue& Environment::queue(double device) {
  CUDNN_GRU_CHECK(device >= 0 && device < devices_.size() && device == std::floor(device), "no such open device");
  return *devices_[size_t(device)].queue;
}

Queue& Environment::queueOf(const View& view) {
  for (const OpenDevice& device : devices_)
    if (&device.queue->device() == &view.buffer->device()) return *device.queue;
  // Only a program has a device that is not among these.
  throw Error("ERR_UNSUPPORTED", "a step that is being recorded has no numbers yet: it must not wait for any");
}

bool Environment::startRecording(Queue& queue) {
  CUDNN_GRU_CHECK(!recording_, "a step is being recorded already");
  auto program = Program::on(queue);
  recording_ = std::move(program);
  return recording_ != nullptr;
}

std::unique_ptr<Program> Environment::takeRecording() { return std::move(recording_); }

void Environment::expectCompletion() {
  if (expected_++ == 0) wake_.Ref(env_);
}

void Environment::complete(std::function<void(Napi::Env)> then) {
  bool first;
  {
    std::lock_guard<std::mutex> lock(completionMutex_);
    first = completions_.empty();
    completions_.push_back(std::move(then));
  }
  if (first) wake_.NonBlockingCall([this](Napi::Env env, Napi::Function) { runCompletions(env); });
}

void Environment::runCompletions(Napi::Env env) {
  std::vector<std::function<void(Napi::Env)>> ready;
  {
    std::lock_guard<std::mutex> lock(completionMutex_);
    ready.swap(completions_);
  }
  for (const auto& then : ready) {
    try {
      then(env);
    } catch (...) {
      // JavaScript can no longer run here: the environment is being terminated, and nobody waits for the answer.
    }
  }
  expected_ -= ready.size();
  if (expected_ == 0) wake_.Unref(env);
}

}  // namespace cudnn_gru
