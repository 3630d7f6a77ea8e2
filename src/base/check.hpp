// check(): programmer errors end the process, in every build. Operating errors are Results, never checks.
#pragma once

#include <source_location>

namespace reclaim {

[[noreturn]] void check_failed(const char* what, std::source_location where);

inline void check(bool holds, const char* what = "invariant", std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]] check_failed(what, where);
}

}  // namespace reclaim
