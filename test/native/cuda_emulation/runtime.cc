// The functions of the CUDA runtime that the backend calls, on memory of the host. A stream is a thread that does what
// it is given in order, so that what is used before it is ready, or after it is gone, is found here too.
#include <cuda_runtime_api.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "grid.h"
#include "stream.h"

namespace {

constexpr size_t kMemory = size_t(4) << 30;  // bytes of the device
constexpr size_t kGuard = 64;                // bytes before and after each block that nothing may write
constexpr unsigned char kGarbage = 0xff, kGuardByte = 0xa5;
constexpr size_t kMostDynamicShared = 48 << 10;

std::atomic<cudaError_t> fault{cudaSuccess};  // what cannot be recovered from
thread_local cudaError_t lastError = cudaSuccess;

cudaError_t answer(cudaError_t status) {
  if (fault != cudaSuccess) status = fault;
  if (status != cudaSuccess) lastError = status;
  return status;
}

// A fault of a kernel: everything fails from here on.
void breakDevice(const char* what) {
  std::fprintf(stderr, "emulated GPU: %s\n", what);
  cudaError_t none = cudaSuccess;
  fault.compare_exchange_strong(none, cudaErrorLaunchFailure);
}

// CUDNN_GRU_EMULATED_FAULT=N: the N-th kernel of the process fails, as one does that reads what is not there.
bool isFaulty() {
  static const char* const asked = std::getenv("CUDNN_GRU_EMULATED_FAULT");
  static std::atomic<long> launches{0};
  return asked && ++launches == std::atol(asked);
}

// CUDNN_GRU_EMULATED_TRACE=1 tells where the caller waits for the GPU.
void traceWait(const char* call) {
  static const bool traced = std::getenv("CUDNN_GRU_EMULATED_TRACE") != nullptr;
  if (traced) std::fprintf(stderr, "emulated GPU: %s waits\n", call);
}

// A number of the GPU that a variable changes: CUDNN_GRU_EMULATED_CAPABILITY=75, CUDNN_GRU_EMULATED_MEMORY_POOLS=0, and
// CUDNN_GRU_EMULATED_DEVICES=2 for what tells two GPUs apart.
int numberOf(const char* variable, int usual) {
  const char* const asked = std::getenv(variable);
  return asked ? std::atoi(asked) : usual;
}

int deviceCount() {
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  const int count = numberOf("CUDNN_GRU_EMULATED_DEVICES", 1);
  if (!visible) return count;
  int seen = 0;
  for (int device = 0; device < count; ++device) seen += std::strstr(visible, std::to_string(device).c_str()) != nullptr;
  return seen;
}
thread_local int currentDevice = 0;

// Pinned memory of the host, by address: copies from and to it are done in the stream's time, from other memory at
// once.
std::mutex pinnedMutex;
std::map<const char*, size_t> pinned;

bool isPinned(const void* data) {
  std::lock_guard<std::mutex> lock(pinnedMutex);
  const char* address = static_cast<const char*>(data);
  const auto after = pinned.upper_bound(address);
  if (after == pinned.begin()) return false;
  const auto block = std::prev(after);
  return address < block->first + block->second;
}

std::atomic<size_t> inUse{0};

char* allocateGuarded(size_t bytes) {
  const size_t rounded = (bytes + kGuard - 1) / kGuard * kGuard;
  char* memory = static_cast<char*>(std::aligned_alloc(kGuard, rounded + 3 * kGuard));
  if (!memory) return nullptr;
  std::memcpy(memory, &bytes, sizeof bytes);
  char* data = memory + 2 * kGuard;
  std::memset(data - kGuard, kGuardByte, kGuard);
  std::memset(data, kGarbage, bytes);
  std::memset(data + bytes, kGuardByte, kGuard);
  return data;
}

void freeGuarded(char* data) {
  size_t bytes;
  std::memcpy(&bytes, data - 2 * kGuard, sizeof bytes);
  for (size_t i = 0; i < kGuard; ++i)
    if (static_cast<unsigned char>(data[bytes + i]) != kGuardByte ||
        static_cast<unsigned char>(data[i - kGuard]) != kGuardByte) {
      breakDevice("written outside a block of memory");
      break;
    }
  std::memset(data, kGarbage, bytes);
  inUse -= bytes;
  std::free(data - 2 * kGuard);
}

}  // namespace

// The types that NVIDIA's headers only name.

struct CUstream_st {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> work;
  bool running = false, closing = false;
  std::thread thread{[this] { run(); }};

  ~CUstream_st() {
    {
      std::lock_guard<std::mutex> lock(mutex);
      closing = true;
    }
    changed.notify_all();
    thread.join();
  }

  void add(std::function<void()> item) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      work.push_back(std::move(item));
    }
    changed.notify_all();
  }

  void finish() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return work.empty() && !running; });
  }

 private:
  void run() {
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return closing || !work.empty(); });
      if (work.empty()) return;
      const std::function<void()> item = std::move(work.front());
      work.pop_front();
      running = true;
      lock.unlock();
      item();
      lock.lock();
      running = false;
      if (work.empty()) changed.notify_all();
    }
  }
};

struct CUevent_st {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t recorded = 0, reached = 0;
};

struct CUmemPoolHandle_st {};

namespace cuda_emulation {

cudaError_t launch(const cudaLaunchConfig_t& config, std::function<void()> kernel) {
  const dim3 grid = config.gridDim, block = config.blockDim;
  const size_t threads = size_t(block.x) * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || grid.x == 0 || grid.x > 0x7fffffffu || grid.y == 0 ||
      grid.y > 65535 || grid.z == 0 || grid.z > 65535)
    return answer(cudaErrorInvalidConfiguration);
  if (config.dynamicSmemBytes > kMostDynamicShared) return answer(cudaErrorInvalidValue);
  config.stream->add([=, shared = config.dynamicSmemBytes] {
    static std::mutex mutex;
    std::lock_guard<std::mutex> lock(mutex);
    if (fault != cudaSuccess) return;
    if (isFaulty()) return breakDevice("a fault was asked for");
    try {
      runGrid(grid, block, shared, kernel);
    } catch (const std::runtime_error& error) {
      breakDevice(error.what());
    }
  });
  return answer(cudaSuccess);
}

void addToStream(cudaStream_t stream, std::function<void()> work) { stream->add(std::move(work)); }

}  // namespace cuda_emulation

extern "C" {

// ---- errors

cudaError_t cudaGetLastError() {
  const cudaError_t status = answer(lastError);
  lastError = cudaSuccess;
  return status;
}

const char* cudaGetErrorName(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    default:
      return "cudaError";
  }
}
const char* cudaGetErrorString(cudaError_t) { return "an error of the emulated GPU"; }

// ---- the device

cudaError_t cudaGetDeviceCount(int* count) {
  *count = deviceCount();
  return answer(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}
cudaError_t cudaGetDevice(int* device) {
  *device = currentDevice;
  return answer(cudaSuccess);
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= deviceCount()) return answer(cudaErrorInvalidDevice);
  currentDevice = device;
  return answer(cudaSuccess);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "no GPU: emulated on the CPU for tests");
  const int capability = numberOf("CUDNN_GRU_EMULATED_CAPABILITY", 90);
  properties->major = capability / 10;
  properties->minor = capability % 10;
  properties->totalGlobalMem = kMemory;
  properties->multiProcessorCount = 2;
  return answer(cudaSuccess);
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  if (attribute == cudaDevAttrMultiProcessorCount)
    *value = 2;
  else if (attribute == cudaDevAttrMemoryPoolsSupported)
    *value = numberOf("CUDNN_GRU_EMULATED_MEMORY_POOLS", 1);
  else
    return answer(cudaErrorInvalidValue);
  return answer(cudaSuccess);
}

// ---- streams and events

cudaError_t cudaStreamQuery(cudaStream_t) { return answer(cudaSuccess); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new CUstream_st();
  return answer(cudaSuccess);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return answer(cudaSuccess);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  traceWait("cudaStreamSynchronize");
  stream->finish();
  return answer(cudaSuccess);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st();
  return answer(cudaSuccess);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return answer(cudaSuccess);
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  uint64_t number;
  {
    std::lock_guard<std::mutex> lock(event->mutex);
    number = ++event->recorded;
  }
  stream->add([=] {
    std::lock_guard<std::mutex> lock(event->mutex);
    event->reached = number;
    event->changed.notify_all();
  });
  return answer(cudaSuccess);
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  std::lock_guard<std::mutex> lock(event->mutex);
  if (fault != cudaSuccess) return answer(fault);
  return event->reached == event->recorded ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  {
    std::unique_lock<std::mutex> lock(event->mutex);
    event->changed.wait(lock, [=] { return event->reached == event->recorded; });
  }
  return answer(cudaSuccess);
}

// ---- memory

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*) {
  *pool = new CUmemPoolHandle_st();
  return answer(cudaSuccess);
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  delete pool;
  return answer(cudaSuccess);
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return answer(cudaSuccess); }
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr attribute, void* value) {
  if (attribute != cudaMemPoolAttrReservedMemCurrent) return answer(cudaErrorInvalidValue);
  const uint64_t bytes = inUse;
  std::memcpy(value, &bytes, sizeof bytes);
  return answer(cudaSuccess);
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return answer(cudaSuccess); }

cudaError_t cudaMallocFromPoolAsync(void** data, size_t bytes, cudaMemPool_t, cudaStream_t) {
  *data = nullptr;
  if (bytes == 0) return answer(cudaErrorInvalidValue);
  if (inUse.fetch_add(bytes) + bytes > kMemory || !(*data = allocateGuarded(bytes))) {
    inUse -= bytes;
    return answer(cudaErrorMemoryAllocation);
  }
  return answer(cudaSuccess);
}
cudaError_t cudaFreeAsync(void* data, cudaStream_t stream) {
  stream->add([=] { freeGuarded(static_cast<char*>(data)); });
  return answer(cudaSuccess);
}
// For programs beside the addon: these know no stream.
cudaError_t cudaMalloc(void** data, size_t bytes) { return cudaMallocFromPoolAsync(data, bytes, nullptr, nullptr); }
cudaError_t cudaFree(void* data) {
  freeGuarded(static_cast<char*>(data));
  return answer(cudaSuccess);
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = kMemory;
  *free = kMemory - inUse;
  return answer(cudaSuccess);
}

cudaError_t cudaHostAlloc(void** data, size_t bytes, unsigned) {
  *data = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!*data) return answer(cudaErrorMemoryAllocation);
  std::lock_guard<std::mutex> lock(pinnedMutex);
  pinned[static_cast<const char*>(*data)] = bytes;
  return answer(cudaSuccess);
}
cudaError_t cudaFreeHost(void* data) {
  {
    std::lock_guard<std::mutex> lock(pinnedMutex);
    if (pinned.erase(static_cast<const char*>(data)) == 0) return answer(cudaErrorInvalidValue);
  }
  std::free(data);
  return answer(cudaSuccess);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (bytes == 0) return answer(cudaSuccess);
  if (kind == cudaMemcpyHostToDevice && !isPinned(from)) {
    const char* first = static_cast<const char*>(from);
    stream->add([to, copy = std::vector<char>(first, first + bytes)] { std::memcpy(to, copy.data(), copy.size()); });
    return answer(cudaSuccess);
  }
  stream->add([=] { std::memmove(to, from, bytes); });
  if (kind == cudaMemcpyDeviceToHost && !isPinned(to)) {
    traceWait("cudaMemcpyAsync to memory that is not pinned");
    stream->finish();
  }
  return answer(cudaSuccess);
}
cudaError_t cudaMemsetAsync(void* data, int value, size_t bytes, cudaStream_t stream) {
  if (bytes > 0) stream->add([=] { std::memset(data, value, bytes); });
  return answer(cudaSuccess);
}

}  // extern "C"
