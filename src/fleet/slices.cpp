#include "fleet/slices.hpp"

namespace reclaim::fleet {
namespace {

inline constexpr int kSlicesOfWorkerMax = 200;     // then the next worker has its turn, and the pass runs again at once
inline constexpr std::int64_t kRowsMax = 200'000;  // of one pass

Result<std::int64_t> run_slice(const Context& context, const Claim& claim, const Sweep& sweep, std::int64_t worker_id, std::string& name) {
  return ports::transact(context.database, ports::Access::kWrite, [&](ports::Transaction& transaction) -> Result<std::int64_t> {
    TRY(hold_claim(transaction, claim));
    const WorkerRow worker = TRY(lock_worker(transaction, worker_id));
    name = worker.name;
    if (!sweep.stalled_too && is_stalled(worker, context)) return std::int64_t{0};
    const Slice slice = TRY(sweep.slice(transaction, worker));
    TRY(append_events(transaction, context, slice.events));
    return slice.rows;
  });
}

// Slices of one worker until there is nothing left: what a slice took away may make candidates of what hung on it.
Status sweep_worker(const Context& context, const Claim& claim, const Sweep& sweep, std::int64_t worker_id, PassReport& report) {
  std::string name;
  std::int64_t changed = 0;
  Status outcome;
  for (int i = 0;; ++i) {
    if (i == kSlicesOfWorkerMax) {
      report.more = true;
      break;
    }
    const Result<std::int64_t> rows = run_slice(context, claim, sweep, worker_id, name);
    if (!rows.ok()) {
      outcome = rows.error();
      break;
    }
    changed += rows.value();
    if (rows.value() == 0) break;
  }
  if (changed > 0) report.workers.push_back(name);
  report.changed += changed;
  if (outcome.ok() || outcome.error().kind == Error::Kind::kNotFound) return done();
  if (outcome.error().kind == Error::Kind::kFenced) return outcome;
  report.failures.push_back((name.empty() ? "worker #" + std::to_string(worker_id) : name) + ": " + outcome.error().message);
  return done();
}

}  // namespace

Result<PassReport> sweep(const Context& context, const Claim& claim, const Sweep& sweep) {
  PassReport report;
  std::int64_t after = 0;
  while (true) {
    ports::Values values = sweep.values;
    values.emplace_back(after);
    values.emplace_back(kWorkersMax);
    const ports::Rows workers = TRY(context.database.run(sweep.workers, values));
    for (const ports::Row& worker : workers) {
      after = worker.integer(0);
      TRY(sweep_worker(context, claim, sweep, after, report));
      if (report.changed < kRowsMax) continue;
      report.more = true;
      return report;
    }
    if (static_cast<std::int64_t>(workers.size()) < kWorkersMax) return report;
  }
}

std::vector<Event> events_of(const ports::Rows& rows, const WorkerRow& worker, const char* action, const char* from, const char* to) {
  std::vector<Event> events;
  events.reserve(rows.size());
  for (const ports::Row& row : rows) {
    events.push_back({.action = action,
                      .worker = worker.name,
                      .kind = static_cast<ResourceKind>(row.integer(0)),
                      .handle = row.text(1),
                      .from = from,
                      .to = to,
                      .reason = row.size() > 2 ? row.text_or(2, "") : ""});
  }
  return events;
}

}  // namespace reclaim::fleet
