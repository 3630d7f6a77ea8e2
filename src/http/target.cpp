#include "http/target.hpp"

#include <optional>

namespace reclaim::http {
namespace {

enum class Plus { kItself, kSpace };

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

Result<std::string> decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low) return unparsable("the request target has a '%' that two hexadecimal digits do not follow");
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    } else if (c == '+' && plus == Plus::kSpace) {
      c = ' ';
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return unparsable("the request target holds a control character");
    decoded.push_back(c);
  }
  return decoded;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Result<std::string_view> origin_form(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::size_t path = text.find_first_of("/?", scheme.size());
    if (path != std::string_view::npos && text[path] == '/') return text.substr(path);
    return unparsable("the request target has no path");
  }
  if (!text.starts_with('/')) return unparsable("the request target is not a path");
  return text;
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  text = TRY(origin_form(text));
  if (text.find('#') != std::string_view::npos) return unparsable("the request target has a fragment");
  const std::size_t mark = text.find('?');

  Target target;
  const std::string_view path = text.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  for (const std::string_view part : split(path, '/')) target.segments.push_back(TRY(decode(part, Plus::kItself)));
  if (mark == std::string_view::npos) return target;

  for (const std::string_view part : split(text.substr(mark + 1), '&')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    std::string name = TRY(decode(part.substr(0, equals), Plus::kSpace));
    std::string value = equals == std::string_view::npos ? "" : TRY(decode(part.substr(equals + 1), Plus::kSpace));
    target.query.emplace_back(std::move(name), std::move(value));
  }
  return target;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  static constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return encoded;
}

}  // namespace reclaim::http
