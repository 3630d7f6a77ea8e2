// release-expired-owners: an owner is expired if and only if it is not released, has a lease, and its lease has run out (collectors.sql:
// is_lapsed). What is released by it are its resources, at the next mark-orphans.
#include "fleet/slices.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {

Sweep release_expired_owners_sweep(const Context& context) {
  const Moment& moment = context.moment;
  const auto find = [&moment](ports::Transaction& transaction, const WorkerRow&, std::int64_t limit) -> Result<Candidates> {
    return candidates_of(TRY(transaction.run(sql::lapsed_find, {moment.now.ms, moment.trusted_from.ms, limit})));
  };
  const auto act = [&moment](ports::Transaction& transaction, const WorkerRow&, const Candidates& found) -> Result<std::vector<Event>> {
    const std::string list = list_of(found);
    TRY(transaction.run(sql::lapsed_hold, {list}));
    const ports::Rows expired = TRY(transaction.run(sql::lapsed_release, {moment.now.ms, moment.trusted_from.ms, moment.wall.ms, list}));
    std::vector<Event> events;
    for (const ports::Row& row : expired) {
      events.push_back({.action = "owner-expired", .owner = row.text(0), .from = "live", .to = "released", .reason = "lease ran out"});
    }
    return events;
  };
  const auto walk = []() -> Walk { return []() -> Result<Workers> { return Workers{.ids = {0}, .last = true}; }; };
  return {.walk = walk, .find = find, .act = act, .refusal = "it was renewed, released or deleted", .has_workers = false};
}

Result<PassReport> release_expired_owners(const Context& context, const Claim& claim) {
  return run_sweep(context, claim, release_expired_owners_sweep(context));
}

}  // namespace reclaim::fleet
