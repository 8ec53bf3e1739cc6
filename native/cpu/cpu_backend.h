#pragma once

#include "device/device.h"

namespace cudnn_gru {

const Backend& cpuBackend();

}  // namespace cudnn_gru
