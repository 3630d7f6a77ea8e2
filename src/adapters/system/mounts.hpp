// What is mounted where, as this process sees it.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace reclaim::system {

struct MountInfo {
  std::string device;  // major:minor, one per file system
  std::string point;
  std::string type;     // ext4, overlay, cgroup2
  std::string options;  // of the file system: lowerdir=...
};

// In the order in which they were mounted.
Result<std::vector<MountInfo>> mount_table();

// Mount points at `path` or anywhere below it, outermost first. `path` is absolute, without links (path_of gives one).
Result<std::vector<std::string>> mounts_below(const std::string& path);

}  // namespace reclaim::system
