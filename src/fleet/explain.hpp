// Why a resource is kept, or what will become of it, from the very predicates that the collectors use.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/context.hpp"
#include "fleet/resources.hpp"

namespace reclaim::fleet {

struct Explanation {
  std::string verdict;  // kept, will_be_marked, destroying, waiting, unknown
  std::string rule;     // the collector or guard that decides
  std::vector<std::string> because;
  std::vector<std::string> blocked_by;
  std::optional<WallTime> earliest;  // when the verdict could change by itself
  std::string last_error;
};

Result<Explanation> explain(const Context& context, const ResourceName& name);

}  // namespace reclaim::fleet
