// What a worker reported of one kind, against what the server holds: pure functions over sets of handles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "wire/sync.hpp"

namespace reclaim::fleet {

// The handles among reported names, sorted and without repetition, and the names that are none.
struct Reported {
  std::vector<std::string> handles;
  std::vector<std::string> malformed;
};
Reported split_well_formed(std::vector<std::string> names);

// From one set to the other. Both inputs sorted.
struct SetChange {
  std::vector<std::string> appeared;
  std::vector<std::string> vanished;
};
SetChange difference(const std::vector<std::string>& held, const std::vector<std::string>& reported);

// The size and digest of a set, without the set.
struct SetSummary {
  std::int64_t count = 0;
  SetDigest digest;
  bool operator==(const SetSummary&) const = default;
};
SetSummary summary_of(const std::vector<std::string>& handles);
// What the summary becomes by a change; exact only if `appeared` was absent and `vanished` present, which the worker's own summary proves.
SetSummary after_change(SetSummary summary, const SetChange& change);

}  // namespace reclaim::fleet
