#pragma once

#include <string>
#include <vector>

namespace cudnn_gru::platform {

// The first line of the file `name` in this process's control group and in every group above it, innermost first: a
// limit may stand at any level. Empty where there are no such groups. Linux has two versions of them; in version 1 each
// controller ('cpu', 'memory') has its own tree.
std::vector<std::string> controlGroupV1(const std::string& controller, const std::string& name);
std::vector<std::string> controlGroupV2(const std::string& name);

}  // namespace cudnn_gru::platform
