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

Result<std::vector<std::string>> mounts_below(const std::string& path) {
  std::ifstream table("/proc/self/mountinfo");
  if (!table) return unavailable("cannot read /proc/self/mountinfo");
  std::vector<std::string> found;
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point;
    fields >> id >> parent >> device >> root >> point;
    point = unescape(point);
    if (point == path || point.starts_with(path + "/")) found.push_back(std::move(point));
  }
  if (table.bad()) return unavailable("cannot read /proc/self/mountinfo");
  std::ranges::sort(found);
  return found;
}

}  // namespace reclaim::system
