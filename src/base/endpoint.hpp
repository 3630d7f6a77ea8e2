// HOST:PORT, as flags and configuration give it. An IPv6 address stands in brackets: [::1]:7070.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace reclaim {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

// kInvalid with `field` for anything else. Port 0 (any free one) only where a listener asks for it.
Result<Endpoint> parse_endpoint(std::string_view text, std::string field);

}  // namespace reclaim
