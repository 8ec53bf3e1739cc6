#pragma once

#include <string>

namespace cudnn_gru::platform {

// How many processors this process may use: the affinity mask, and on Linux the CPU quota of its control group
// (rounded up), at least 1.
int grantedCpus();

// The operating system's name for the processor, or empty. Asked only where the processor itself cannot say.
std::string processorName();

}  // namespace cudnn_gru::platform
