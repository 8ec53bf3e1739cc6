#include "platform/cpus.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "platform/control_group.h"

#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#endif

namespace cudnn_gru::platform {
namespace {

int cpusByAffinity() {
#if defined(__linux__)
  // The kernel refuses a mask smaller than its own; machines with more than 1024 processors exist.
  for (size_t cpus = 1024; cpus <= (1u << 20); cpus *= 2) {
    cpu_set_t* mask = CPU_ALLOC(cpus);
    if (!mask) break;
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    const int result = sched_getaffinity(0, bytes, mask);
    const int count = result == 0 ? CPU_COUNT_S(bytes, mask) : 0;
    CPU_FREE(mask);
    if (count > 0) return count;
  }
#elif defined(_WIN32)
  DWORD_PTR process = 0, system = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system) && process != 0) {
    int count = 0;
    for (; process; process &= process - 1) ++count;
    return count;
  }
#endif
  return int(std::max(1u, std::thread::hardware_concurrency()));
}

// The tightest quota in CPUs, infinite when there is none.
double cpuQuota() {
  double least = INFINITY;
  // Version 2: "<quota> <period>" or "max <period>".
  for (const std::string& line : controlGroupV2("cpu.max")) {
    std::istringstream text(line);
    double quota = 0, period = 0;
    if (text >> quota >> period && quota > 0 && period > 0) least = std::min(least, quota / period);
  }
  // Version 1: quota (-1: none) and period in two files, level by level.
  const std::vector<std::string> quotas = controlGroupV1("cpu", "cpu.cfs_quota_us");
  const std::vector<std::string> periods = controlGroupV1("cpu", "cpu.cfs_period_us");
  for (size_t i = 0; i < quotas.size() && i < periods.size(); ++i) {
    const double quota = std::strtod(quotas[i].c_str(), nullptr), period = std::strtod(periods[i].c_str(), nullptr);
    if (quota > 0 && period > 0) least = std::min(least, quota / period);
  }
  return least;
}

}  // namespace

int grantedCpus() {
  const int cpus = cpusByAffinity();
  const double quota = cpuQuota();
  return std::max(1, quota < cpus ? int(std::ceil(quota)) : cpus);
}

int currentCpu() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

void leaveCpu(int cpu) {
#if defined(__linux__)
  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getcpu() != cpu) return;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || !CPU_ISSET(cpu, &allowed) || CPU_COUNT(&allowed) < 2)
    return;
  cpu_set_t others = allowed;
  CPU_CLR(cpu, &others);
  if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
#else
  (void)cpu;
#endif
}

std::string processorName() {
#if defined(__APPLE__)
  char text[256] = {};
  size_t size = sizeof text - 1;
  if (sysctlbyname("machdep.cpu.brand_string", text, &size, nullptr, 0) == 0) return text;
#elif defined(__linux__)
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
#endif
  return "";
}

}  // namespace cudnn_gru::platform
