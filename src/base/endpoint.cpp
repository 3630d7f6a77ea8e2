#include "base/endpoint.hpp"

#include <charconv>

namespace reclaim {

Result<Endpoint> parse_endpoint(std::string_view text, std::string field) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return invalid(std::move(field), "must be HOST:PORT");
  Endpoint endpoint{.host = std::string(text.substr(0, colon))};
  const std::string_view port = text.substr(colon + 1);
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (port.empty() || failure != std::errc() || end != port.data() + port.size()) return invalid(std::move(field), "must be HOST:PORT");
  const bool bracketed = endpoint.host.starts_with('[') && endpoint.host.ends_with(']');
  if (bracketed) endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  if (endpoint.host.empty() || (!bracketed && endpoint.host.find(':') != std::string::npos)) {
    return invalid(std::move(field), "must be HOST:PORT; an IPv6 address stands in brackets");
  }
  return endpoint;
}

}  // namespace reclaim
