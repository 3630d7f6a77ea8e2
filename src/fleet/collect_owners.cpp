// release-expired-owners: an owner is expired if and only if it is not released, has a lease, and its lease has run out (owners.sql:
// owners_expire). What is released by it are its resources, at the next mark-orphans.
#include "fleet/collectors.hpp"
#include "fleet/events.hpp"
#include "fleet/worker_row.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

Result<std::int64_t> expire_slice(const Context& context, const Claim& claim) {
  return ports::transact(context.database, ports::Access::kWrite, [&](ports::Transaction& transaction) -> Result<std::int64_t> {
    TRY(hold_claim(transaction, claim));
    const Moment& moment = context.moment;
    const ports::Rows expired =
        TRY(transaction.run(sql::owners_expire, {moment.now.ms, moment.trusted_from.ms, moment.wall.ms, kSliceMax}));
    std::vector<Event> events;
    for (const ports::Row& row : expired) {
      events.push_back({.action = "owner-expired", .owner = row.text(0), .from = "live", .to = "released", .reason = "lease ran out"});
    }
    TRY(append_events(transaction, context, events));
    return static_cast<std::int64_t>(expired.size());
  });
}

}  // namespace

Result<PassReport> release_expired_owners(const Context& context, const Claim& claim) {
  PassReport report;
  for (std::int64_t rows = kSliceMax; rows == kSliceMax;) {
    rows = TRY(expire_slice(context, claim));
    report.changed += rows;
  }
  return report;
}

}  // namespace reclaim::fleet
