#include "fleet/inventory.hpp"

#include <algorithm>

#include "base/ids.hpp"

namespace reclaim::fleet {

Reported split_well_formed(std::vector<std::string> names) {
  Reported reported;
  const auto malformed =
      std::stable_partition(names.begin(), names.end(), [](const std::string& name) { return is_well_formed_name(name); });
  reported.malformed.assign(std::make_move_iterator(malformed), std::make_move_iterator(names.end()));
  names.erase(malformed, names.end());
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  reported.handles = std::move(names);
  return reported;
}

SetChange difference(const std::vector<std::string>& held, const std::vector<std::string>& reported) {
  SetChange change;
  std::ranges::set_difference(reported, held, std::back_inserter(change.appeared));
  std::ranges::set_difference(held, reported, std::back_inserter(change.vanished));
  return change;
}

SetSummary summary_of(const std::vector<std::string>& handles) {
  SetSummary summary{.count = static_cast<std::int64_t>(handles.size())};
  for (const std::string& handle : handles) summary.digest.add(handle);
  return summary;
}

SetSummary after_change(SetSummary summary, const SetChange& change) {
  summary.count += static_cast<std::int64_t>(change.appeared.size()) - static_cast<std::int64_t>(change.vanished.size());
  for (const std::string& handle : change.appeared) summary.digest.add(handle);
  for (const std::string& handle : change.vanished) summary.digest.remove(handle);
  return summary;
}

}  // namespace reclaim::fleet
