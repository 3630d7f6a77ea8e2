#include "apps/rados_address.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace reclaim::apps {
namespace {

constexpr std::size_t kNameMax = 64;
constexpr std::size_t kPathMax = 4095;

Error wrong(std::string message) { return invalid("store", std::move(message)); }

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Result<std::string> name_in(std::string_view text, const std::string& what) {
  const auto is_allowed = [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  const bool is_name = !text.empty() && text.size() <= kNameMax && is_alphanumeric(text.front()) && std::ranges::all_of(text, is_allowed);
  if (is_name) return std::string(text);
  return wrong("the " + what + " in rados://POOL[/NAMESPACE][?conf=PATH][&user=NAME] is [A-Za-z0-9][A-Za-z0-9._-]{0,63}");
}

Result<std::string> path_in(std::string_view text) {
  const bool is_path = text.starts_with('/') && text.size() <= kPathMax && std::ranges::none_of(text, [](char c) { return c < ' '; });
  if (is_path) return std::string(text);
  return wrong("conf= in rados://POOL[/NAMESPACE][?conf=PATH][&user=NAME] is an absolute path");
}

// The text up to the mark; the rest, without it, stays. All of it where there is no mark.
std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

Status read_options(std::string_view text, objects_rados::RadosOptions& options) {
  std::set<std::string_view> seen;
  do {
    std::string_view value = take_until(text, '&');
    const std::string_view key = take_until(value, '=');
    if (!seen.insert(key).second) return wrong("'" + std::string(key) + "' is there twice");
    if (key == "conf") {
      options.conf = TRY(path_in(value));
    } else if (key == "user") {
      options.user = TRY(name_in(value, "user"));
    } else {
      return wrong("rados:// knows conf=PATH and user=NAME, not '" + std::string(key.substr(0, kNameMax)) + "'");
    }
  } while (!text.empty());
  return done();
}

}  // namespace

Result<objects_rados::RadosOptions> parse_rados_address(std::string_view address) {
  if (!address.starts_with(kRados)) return wrong("must be rados://POOL[/NAMESPACE][?conf=PATH][&user=NAME]");
  std::string_view given = address.substr(kRados.size());
  std::string_view place = take_until(given, '?');
  const bool has_options = address.find('?') != std::string_view::npos;
  const bool has_name_space = place.find('/') != std::string_view::npos;
  objects_rados::RadosOptions options;
  options.pool = TRY(name_in(take_until(place, '/'), "pool"));
  if (has_name_space) options.name_space = TRY(name_in(place, "namespace"));
  if (has_options) TRY(read_options(given, options));
  return options;
}

}  // namespace reclaim::apps
