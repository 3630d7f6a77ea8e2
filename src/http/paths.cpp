#include "http/paths.hpp"

#include "base/check.hpp"

namespace reclaim::http {
namespace {

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_parameter(pattern[i]) ? segments[i].empty() : segments[i] != pattern[i]) return false;
  }
  return true;
}

std::vector<std::string> split(std::string_view pattern) {
  check(pattern.starts_with('/'), "a pattern is a path");
  std::vector<std::string> segments;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    segments.emplace_back(pattern.substr(0, pattern.find('/')));
    pattern.remove_prefix(segments.back().size());
  }
  return segments;
}

}  // namespace

int Paths::add(std::string_view method, std::string_view pattern) {
  routes_.push_back({std::string(method), split(pattern)});
  return static_cast<int>(routes_.size()) - 1;
}

Found Paths::find(std::string_view method, const std::vector<std::string>& segments) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Found found;
  for (std::size_t number = 0; number < routes_.size(); ++number) {
    const Route& route = routes_[number];
    if (!fits(route.segments, segments)) continue;
    found.path_known = true;
    found.allowed.push_back(route.method);
    if (route.method == "GET") found.allowed.emplace_back("HEAD");
    if (route.method != wanted) continue;
    found.route = static_cast<int>(number);
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (is_parameter(route.segments[i])) found.parameters.push_back(segments[i]);
    }
    return found;
  }
  return found;
}

}  // namespace reclaim::http
