#include "base/result.hpp"

#include <cstdio>
#include <cstdlib>

namespace reclaim {

void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
  std::abort();
}

std::string_view name_of(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::kNotFound: return "not-found";
    case Error::Kind::kConflict: return "conflict";
    case Error::Kind::kFenced: return "fenced";
    case Error::Kind::kContended: return "unavailable";
    case Error::Kind::kUnavailable: return "unavailable";
    case Error::Kind::kCorrupt: return "corrupt";
    case Error::Kind::kInvalid: return "invalid";
    case Error::Kind::kUnparsable: return "invalid";
    case Error::Kind::kTooLarge: return "too-large";
    case Error::Kind::kForbidden: return "forbidden";
    case Error::Kind::kUnauthenticated: return "unauthenticated";
  }
  check(false, "unknown error kind");
  return "";
}

}  // namespace reclaim
