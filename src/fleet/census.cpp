#include "fleet/census.hpp"

#include <algorithm>

#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

Result<Census> count_all(ports::Transaction& transaction, const Context& context) {
  Census census;
  for (const ResourceKind kind : kResourceKinds) {
    for (const ResourceState state : kResourceStates) {
      if (state != ResourceState::kGone) census.resources.push_back({kind, state, 0});
    }
  }
  for (const WorkerState state : kWorkerStates) {
    if (state != WorkerState::kDeleted) census.workers.push_back({state, 0});
  }
  for (const ports::Row& row : TRY(transaction.run(sql::count_resources, ports::Values{}))) {
    const auto kind = static_cast<ResourceKind>(row.integer(0));
    for (ResourceCount& count : census.resources) {
      if (count.kind == kind && name_of(count.state) == row.text(1)) count.count = row.integer(2);
    }
    if (!row.is_null(3)) {
      census.oldest_destroying.at(static_cast<std::size_t>(kind)) = std::max(Millis(0), context.moment.now - ServiceTime{row.integer(3)});
    }
  }
  for (const ports::Row& row : TRY(transaction.run(sql::count_workers, ports::Values{}))) {
    for (WorkerCount& count : census.workers) {
      if (name_of(count.state) == row.text(0)) count.count = row.integer(1);
    }
  }
  const ports::Rows ledger = TRY(transaction.run(sql::ledger_totals, ports::Values{}));
  census.unaccounted = ledger[0].integer(0) - ledger[0].integer(1) - ledger[0].integer(2);
  return census;
}

}  // namespace

Result<Census> take_census(const Context& context) {
  return ports::transact(context.database, ports::Access::kRead,
                         [&](ports::Transaction& transaction) { return count_all(transaction, context); });
}

}  // namespace reclaim::fleet
