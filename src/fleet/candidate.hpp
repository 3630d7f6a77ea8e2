// What a collector would act on, with what guards it: acting on a candidate whose row has another version by then does nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.hpp"

namespace reclaim::fleet {

struct Candidate {
  std::int64_t id = 0;               // of its row
  std::optional<ResourceKind> kind;  // none: an owner or a worker
  std::string handle;                // or the owner's, the worker's name
  std::string reason;
  std::optional<std::int64_t> bytes;  // where known
  std::int64_t version = 0;           // changes when the row does
  std::int64_t owner = 0;             // its owner's row; 0: none, or of no importance
  std::int64_t owner_version = 0;
};

}  // namespace reclaim::fleet
