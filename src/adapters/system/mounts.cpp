#include "adapters/system/mounts.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace reclaim::system {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes space, tab, newline and backslash as \ooo.
std::string unescape(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) && is_octal(text[i + 3])) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

Result<std::vector<MountInfo>> mount_table() {
  std::ifstream table("/proc/self/mountinfo");
  if (!table) return unavailable("cannot read /proc/self/mountinfo");
  std::vector<MountInfo> found;
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string id, parent, root, flags, optional, source;
    MountInfo mount;
    fields >> id >> parent >> mount.device >> root >> mount.point >> flags;
    while (fields >> optional && optional != "-") {
    }
    fields >> mount.type >> source >> mount.options;
    mount.point = unescape(mount.point);
    mount.options = unescape(mount.options);
    found.push_back(std::move(mount));
  }
  if (table.bad()) return unavailable("cannot read /proc/self/mountinfo");
  return found;
}

Result<std::vector<std::string>> mounts_below(const std::string& path) {
  std::vector<std::string> found;
  for (MountInfo& mount : TRY(mount_table())) {
    if (mount.point == path || mount.point.starts_with(path + "/")) found.push_back(std::move(mount.point));
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace reclaim::system
