// What is mounted where, as this process sees it.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace reclaim::system {

// Mount points at `path` or anywhere below it, outermost first. `path` is absolute, without links (path_of gives one).
Result<std::vector<std::string>> mounts_below(const std::string& path);

}  // namespace reclaim::system
