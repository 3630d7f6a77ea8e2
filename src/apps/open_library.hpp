// `dir:PATH`, as --library names it.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/tape_library.hpp"

namespace reclaim::apps {

// kInvalid, field `--library`, for an address that names no library. Whether it is there is seen when it is used.
Result<std::unique_ptr<ports::TapeLibrary>> open_library(const std::string& address);

}  // namespace reclaim::apps
