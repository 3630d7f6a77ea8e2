// Policies: when a mount pays for the requests that name one. Larger priorities go first.
//
// Who may call: any thread. Each use case is one transaction; a crash leaves the policy before or after, with its event.
#pragma once

#include <string>
#include <vector>

#include "archive/context.hpp"
#include "archive/names.hpp"

namespace reclaim::archive {

// A mount pays when one of the three is reached. All 0: a single request is enough.
struct Policy {
  PolicyName name;
  std::int64_t priority = 0;
  std::int64_t min_age_s = 0;
  std::int64_t min_files = 0;
  std::int64_t min_bytes = 0;
  bool operator==(const Policy&) const = default;
};

// Makes it, or replaces the one of that name.
Result<Outcome<Policy>> put_policy(const Context& context, const Policy& policy);
Result<Policy> find_policy(const Context& context, const PolicyName& name);
Result<std::vector<Policy>> list_policies(const Context& context, const std::string& after, std::int64_t limit);
// Requests that name it wait for nothing any more.
Result<Policy> remove_policy(const Context& context, const PolicyName& name);

}  // namespace reclaim::archive
