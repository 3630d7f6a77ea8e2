#include "apps/open_library.hpp"

#include <string_view>

#include "adapters/library_dir/library_dir.hpp"

namespace reclaim::apps {

Result<std::unique_ptr<ports::TapeLibrary>> open_library(const std::string& address) {
  constexpr std::string_view kDir = "dir:";
  if (!address.starts_with(kDir) || address.size() == kDir.size()) return invalid("--library", "--library must be dir:PATH");
  return std::unique_ptr<ports::TapeLibrary>(new library_dir::LibraryDir(address.substr(kDir.size())));
}

}  // namespace reclaim::apps
