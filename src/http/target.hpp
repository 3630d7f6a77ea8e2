// The request target, taken apart: path segments and query parameters, each decoded once and on its own.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace reclaim::http {

struct Target {
  std::vector<std::string> segments;  // "/" has one empty segment
  std::vector<std::pair<std::string, std::string>> query;
};

// Accepts `/path?query` and `http://host/path?query`. kUnparsable: an escape that is not two hex digits, a control character,
// plain or escaped, a fragment, or neither of the two forms. `.` and `..` are names like any other and lead nowhere.
Result<Target> parse_target(std::string_view text);

// What parse_target() undoes, for one segment or one query value.
std::string percent_encode(std::string_view text);

}  // namespace reclaim::http
