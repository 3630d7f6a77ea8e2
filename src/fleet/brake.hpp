// The brake: an inventory that would make most of a worker's resources missing, or shows a crowd that nobody knows, is more likely a
// machine that is not what it seems (an unmounted disk, another machine, a restored database) than the truth. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.hpp"
#include "fleet/policy.hpp"

namespace reclaim::fleet {

// What one inventory of one kind would do at its as_of.
struct Impact {
  std::int64_t missing = 0;    // created rows that would become missing now
  std::int64_t strangers = 0;  // things without a row that would begin their unknown grace now
  std::int64_t created = 0;    // created rows of the kind
};

// Why the kind is not judged; empty: judge it. More than the minimum, and more than the fraction of the created rows.
std::string brake_reason(ResourceKind kind, const Impact& impact, const Policy& policy);

}  // namespace reclaim::fleet
