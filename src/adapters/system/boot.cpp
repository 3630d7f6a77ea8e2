#include "adapters/system/boot.hpp"

#include <algorithm>

#include "adapters/system/files.hpp"

namespace reclaim::system {
namespace {

constexpr std::size_t kUuidLength = 36;

bool is_uuid_character(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'; }

}  // namespace

Result<std::string> boot_id() {
  const Fd directory = TRY(open_directory("/proc/sys/kernel/random"));
  std::string id = TRY(read_file_at(directory.get(), "boot_id", kUuidLength + 1));
  if (!id.empty() && id.back() == '\n') id.pop_back();
  if (id.size() != kUuidLength || !std::ranges::all_of(id, is_uuid_character)) return corrupt("the kernel's boot_id is no UUID");
  return id;
}

}  // namespace reclaim::system
