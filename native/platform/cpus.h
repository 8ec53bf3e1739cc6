#pragma once

#include <string>

namespace cudnn_gru::platform {

// How many processors this process may use: the affinity mask, and on Linux the CPU quota of its control group
// (rounded up), at least 1.
int grantedCpus();

// The processor that this thread runs on, or -1 where the system does not say.
int currentCpu();

// Moves this thread to another of the processors it may use, if it runs on this one and there is another; it is bound
// to none afterwards.
void leaveCpu(int cpu);

// The operating system's name for the processor, or empty. Asked only where the processor itself cannot say.
std::string processorName();

}  // namespace cudnn_gru::platform
