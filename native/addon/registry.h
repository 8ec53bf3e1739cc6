#pragma once

#include <string>
#include <vector>

#include "device/device.h"

namespace cudnn_gru {

// Every backend of this binary, in the order in which 'auto' prefers them.
const std::vector<const Backend*>& backends();

// 'cpu', 'cuda', 'cuda:1': throws ERR_DEVICE_UNAVAILABLE with the reason, ERR_UNSUPPORTED for a name of no backend.
std::shared_ptr<Device> openDevice(const std::string& name);

}  // namespace cudnn_gru
