#include "fleet/brake.hpp"

namespace reclaim::fleet {

std::string brake_reason(ResourceKind kind, const Impact& impact, const Policy& policy) {
  const auto is_too_many = [&](std::int64_t count) {
    return count > policy.brake_min && static_cast<double>(count) > policy.brake_fraction * static_cast<double>(impact.created);
  };
  const std::string kinds(plural_of(kind));
  if (is_too_many(impact.missing)) {
    return std::to_string(impact.missing) + " of " + std::to_string(impact.created) + " " + kinds + " would be missing";
  }
  if (is_too_many(impact.strangers)) {
    return std::to_string(impact.strangers) + " " + kinds + " that nobody knows, beside " + std::to_string(impact.created) +
           " that are known";
  }
  return "";
}

}  // namespace reclaim::fleet
