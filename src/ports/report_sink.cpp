#include "ports/report_sink.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/printable.hpp"
#include "base/utf8.hpp"

namespace reclaim::ports {
namespace {

constexpr std::size_t kHostMax = 253;
constexpr std::size_t kLabelMax = 63;

bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_of_url(char c) { return is_letter_or_digit(c) || is_one_of(c, "-._~:/?@!$&'()*+,;=%[]"); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool take_scheme(std::string_view& url, std::string_view scheme) {
  if (url.size() < scheme.size() || !std::ranges::equal(url.substr(0, scheme.size()), scheme, {}, lower)) return false;
  url.remove_prefix(scheme.size());
  return true;
}

bool is_name(std::string_view host) {
  if (host.size() > kHostMax) return false;
  for (;;) {
    const std::size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    const auto may_stand = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; };
    if (label.empty() || label.size() > kLabelMax || !std::ranges::all_of(label, may_stand)) return false;
    if (dot == std::string_view::npos || dot + 1 == host.size()) return true;  // a dot at the end: from the root
    host.remove_prefix(dot + 1);
  }
}

bool is_ipv6(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc() || end != text.data() + text.size() || text.empty() || text.front() == '0') return std::nullopt;
  return port;
}

Result<ReportUrl> parse_authority(std::string_view authority, bool is_https) {
  ReportUrl parsed{.is_https = is_https, .port = static_cast<std::uint16_t>(is_https ? 443 : 80)};
  if (is_one_of('@', authority)) return invalid("", "must name no user");
  const bool is_bracketed = authority.starts_with('[');
  const std::size_t end = is_bracketed ? authority.find(']') : authority.find(':');
  if (is_bracketed && end == std::string_view::npos) return invalid("", "must close the bracket of its address");
  parsed.host = is_bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
  if (parsed.host.empty()) return invalid("", "must have a host");
  if (is_bracketed ? !is_ipv6(parsed.host) : !is_name(parsed.host)) return invalid("", "has a host that is none");
  std::string_view rest = end == std::string_view::npos ? std::string_view() : authority.substr(is_bracketed ? end + 1 : end);
  if (rest.empty()) return parsed;
  const std::optional<std::uint16_t> port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
  if (!port) return invalid("", "must have a port from 1 to 65535, or none");
  parsed.port = *port;
  return parsed;
}

}  // namespace

Result<ReportUrl> parse_report_url(std::string_view url) {
  std::string_view rest = url;
  const bool is_https = take_scheme(rest, "https://");
  if (!is_https && !take_scheme(rest, "http://")) return invalid("", "must begin with http:// or https://");
  if (is_one_of('#', rest)) return invalid("", "must have no fragment");
  if (!std::ranges::all_of(rest, is_of_url)) return invalid("", "holds characters that a URL writes with %");
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  ReportUrl parsed = TRY(parse_authority(authority, is_https));
  if (rest.find_first_of("[]", authority.size()) != std::string_view::npos) return invalid("", "holds characters that a URL writes with %");
  std::ranges::transform(parsed.host, parsed.host.begin(), lower);
  return parsed;
}

Status check_report(const Report& report) {
  const auto is_visible = [](char c) { return c > ' ' && c <= '~'; };
  const Result<ReportUrl> url = parse_report_url(report.url);
  if (!url.ok()) return invalid("url", "the URL " + url.error().message);
  if (report.key.empty() || report.key.size() > kReportKeyMax || !std::ranges::all_of(report.key, is_visible)) {
    return invalid("key", "the key must be 1 to " + std::to_string(kReportKeyMax) + " visible characters of ASCII");
  }
  if (report.body.size() > kReportBodyMax) return too_large("the body has over " + std::to_string(kReportBodyMax) + " bytes");
  return done();
}

std::string report_reason(std::string_view text) {
  std::string reason = printable(utf8_prefix(text, kReportReasonMax));
  reason.erase(reason.find_last_not_of(" ?") + 1);
  return reason;
}

}  // namespace reclaim::ports
