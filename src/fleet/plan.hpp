// What the collectors would do now, and doing exactly that.
//
// A plan is the passes themselves, rehearsed: each worker's slices run as the pass runs them, in one transaction that is dropped. So a
// plan cannot differ from its passes, and it goes through a whole tree of volumes. Each item carries the versions of its row and of its
// owner. Applying acts on the items, in the order in which they were found, under the same locks and by the same guarded statements as
// the pass: an item that was touched, pinned, given to another owner, renewed or otherwise changed since is refused, and says why.
//
// Who may call: any server; plans are in the database, for an hour, the latest sixteen. A crash while planning leaves nothing; while
// applying, whole slices that are done: applying again does the rest and refuses what is done already.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "fleet/candidate.hpp"
#include "fleet/context.hpp"

namespace reclaim::fleet {

inline constexpr std::size_t kPlanItemsMax = 10'000;
inline constexpr Millis kPlanRetention{3'600'000};
inline constexpr std::int64_t kPlansMax = 16;

struct PlanItem {
  std::string pass;
  std::string worker;  // empty: of no worker
  std::int64_t worker_row = 0;
  std::int64_t slice = 0;  // items of one slice are acted on together; no two slices of a plan have the same number
  Candidate candidate;
};

// `container`, `volume`, `owner` or `worker`.
std::string_view kind_of(const PlanItem& item);

struct Plan {
  std::string id;
  std::vector<PlanItem> items;
  bool truncated = false;  // there is more than kPlanItemsMax
};

struct PlanScope {
  std::vector<std::string> passes;   // empty: all
  std::optional<WorkerName> worker;  // none: all; owners are of no worker
};

// kInvalid names `passes` or `worker` where there is none of that name.
Result<Plan> make_plan(const Context& context, Random& random, const PlanScope& scope);

struct AppliedItem {
  PlanItem item;
  std::string refused;  // why; empty: done
};

// kNotFound: there is no such plan, or not any more. Any other error: what is done stays done, ask again.
Result<std::vector<AppliedItem>> apply_plan(const Context& context, const std::string& id);

}  // namespace reclaim::fleet
