// The collectors: passes that mark. Database work only; nobody is dialled.
//
// A pass reads, plans, executes; it takes no input and may run twice. Each marks in bounded slices, one transaction a slice, under the
// claim that it was given; a worker that fails does not stop the pass for the others. A crash between two slices leaves the rest to
// the next pass.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/context.hpp"

namespace reclaim::fleet {

inline constexpr std::int64_t kSliceMax = 1000;    // rows of one transaction
inline constexpr std::int64_t kWorkersMax = 1000;  // workers looked at between two looks at the candidates

struct PassReport {
  std::int64_t changed = 0;           // rows marked, released, deleted, moved on
  std::vector<std::string> workers;   // whose orders may have changed: ring them
  std::vector<std::string> failures;  // what could not be done, and why; the next pass tries again
  bool more = false;                  // a bound stopped it; run again at once
};

// A claim on the right to run a pass; a transaction of the pass is refused when the epoch has moved on.
struct Claim {
  std::string name;
  std::string holder;
  std::int64_t epoch = 0;
};

using PassFunction = Result<PassReport> (*)(const Context& context, const Claim& claim);

struct Sweep;  // how a collector walks, finds and acts (slices.hpp)

struct Collector {
  std::string_view name;
  PassFunction run;
  Sweep (*sweep)(const Context& context);  // keeps a reference to the context
};

Result<PassReport> release_expired_owners(const Context& context, const Claim& claim);
Result<PassReport> mark_orphans(const Context& context, const Claim& claim);
Result<PassReport> mark_failed(const Context& context, const Claim& claim);
Result<PassReport> creating_deadline(const Context& context, const Claim& claim);
Result<PassReport> missing(const Context& context, const Claim& claim);
Result<PassReport> unknown(const Context& context, const Claim& claim);
Result<PassReport> worker_lifecycle(const Context& context, const Claim& claim);

// Every collector there is, in the order in which one feeds the next. The server schedules exactly this list.
std::span<const Collector> collectors();

}  // namespace reclaim::fleet
