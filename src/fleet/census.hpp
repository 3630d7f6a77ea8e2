// How many there are of everything, and whether the ledger balances (C1). For metrics: three statements over the whole database.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/ids.hpp"
#include "fleet/context.hpp"
#include "fleet/states.hpp"

namespace reclaim::fleet {

struct ResourceCount {
  ResourceKind kind;
  ResourceState state;
  std::int64_t count;
};

struct WorkerCount {
  WorkerState state;
  std::int64_t count;
};

struct Census {
  std::vector<ResourceCount> resources;       // every kind in every state, zeros too
  std::vector<WorkerCount> workers;           // every state, zeros too
  std::array<Millis, 2> oldest_destroying{};  // by kind; 0 where nothing is destroying
  std::int64_t unaccounted = 0;               // registered + adopted + unknown - present - destroyed - lost
};

Result<Census> take_census(const Context& context);

}  // namespace reclaim::fleet
