#include "cpu/cpu_device.h"

#include <cstring>

#include "cpu/cpu_features.h"
#include "cpu/parallel.h"
#include "device/backends.h"

namespace cudnn_gru {
namespace {

// Bytes that are worth a thread.
constexpr int64_t kCopyGrain = 256 * 1024;

}  // namespace

CpuDevice::CpuDevice() : CpuDevice(std::make_shared<BlockCache>(), ThreadTeam::defaultSize()) { instructionSet(); }

CpuDevice::CpuDevice(std::shared_ptr<BlockCache> memory, int threads) : memory_(std::move(memory)), team_(threads) {}

void* CpuDevice::allocate(size_t bytes) { return memory_->allocate(bytes); }
void CpuDevice::release(void* data, size_t) noexcept { memory_->release(data); }
MemoryUse CpuDevice::memoryUse() const { return memory_->use(); }
void CpuDevice::releaseCache() { memory_->clear(); }

void CpuDevice::copyFromHost(void* destination, const void* source, size_t bytes) {
  if (bytes > 0) std::memcpy(destination, source, bytes);
}

void CpuDevice::copyToHost(void* destination, const void* source, size_t bytes, CopyDone done) {
  // Memory that JavaScript has just taken is given its pages here, which takes longer than the copy.
  parallelRanges(team_, int64_t(bytes), kCopyGrain, [&](int64_t begin, int64_t end) {
    std::memcpy(static_cast<char*>(destination) + begin, static_cast<const char*>(source) + begin, size_t(end - begin));
  });
  done(std::nullopt);
}

int CpuDevice::threads() const { return team_.threads(); }

void CpuDevice::setThreads(int threads) {
  CUDNN_GRU_CHECK(threads >= 1 && threads <= ThreadTeam::kMostThreads, std::to_string(threads));
  team_.resize(threads);
}

namespace {

std::vector<DeviceReport> cpuDevices() {
  DeviceReport report;
  report.name = "cpu";
  try {
    const int threads = ThreadTeam::defaultSize();
    report.description = processorName() + ", " + name(instructionSet()) + ", " + std::to_string(threads) +
                         (threads == 1 ? " thread" : " threads");
    report.available = true;
  } catch (const Error& error) {
    report.description = processorName();
    report.reason = error.what();
  }
  return {report};
}

std::shared_ptr<Device> openCpu(int index) {
  if (index != 0) throw Error("ERR_UNSUPPORTED", "device 'cpu:" + std::to_string(index) + "': there is only 'cpu'");
  return std::make_shared<CpuDevice>();
}

}  // namespace

const Backend& cpuBackend() {
  static const Backend backend{"cpu", cpuDevices, openCpu};
  return backend;
}

}  // namespace cudnn_gru
