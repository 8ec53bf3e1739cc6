#pragma once

#include <memory>

#include "cpu/block_cache.h"
#include "cpu/thread_team.h"
#include "device/device.h"
#include "device/scratch.h"

namespace cudnn_gru {

// The CPU backend. Each operation is defined in native/cpu/<subject>_cpu.cc.
class CpuDevice : public Device {
 public:
  CpuDevice();  // throws ERR_UNSUPPORTED when CUDNN_GRU_CPU or CUDNN_GRU_THREADS cannot be followed
  CpuDevice(std::shared_ptr<BlockCache> memory, int threads);

  void* allocate(size_t bytes) override;
  void release(void* data, size_t bytes) noexcept override;
  MemoryUse memoryUse() const override;
  void releaseCache() override;

  bool sharesHostMemory() const override { return true; }
  void copyFromHost(void* destination, const void* source, size_t bytes) override;
  void copyToHost(void* destination, const void* source, size_t bytes, CopyDone done) override;

  int threads() const override;
  void setThreads(int threads) override;

  std::shared_ptr<Device> immediate() override { return std::make_shared<CpuDevice>(memory_, 1); }

#define CUDNN_GRU_CPU_METHOD(name, Type) void name(const ops::Type& operation) override;
  CUDNN_GRU_OPERATIONS(CUDNN_GRU_CPU_METHOD)
#undef CUDNN_GRU_CPU_METHOD

  ThreadTeam& team() { return team_; }

 private:
  std::shared_ptr<BlockCache> memory_;
  ThreadTeam team_;
};

}  // namespace cudnn_gru
