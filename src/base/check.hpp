// check(): programmer errors end the process, in every build. Operating errors are Results, never checks.
#pragma once

namespace reclaim {

[[noreturn]] void check_failed(const char* what, const char* file, int line);

// The defaults are the caller's place. (std::source_location is beyond clang 14.)
inline void check(bool holds, const char* what = "invariant", const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!holds) [[unlikely]]
    check_failed(what, file, line);
}

}  // namespace reclaim
