#include "fleet/slices.hpp"

#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

inline constexpr int kSlicesOfWorkerMax = 200;     // then the next worker has its turn, and the pass runs again at once
inline constexpr std::int64_t kRowsMax = 100'000;  // of one pass

Result<std::int64_t> run_slice(const Context& context, const Claim& claim, const Sweep& sweep, std::int64_t worker_id, std::string& name) {
  return ports::transact(context.database, ports::Access::kWrite, [&](ports::Transaction& transaction) -> Result<std::int64_t> {
    TRY(hold_claim(transaction, claim));
    const Scope scope = TRY(open_scope(transaction, context, sweep, worker_id));
    name = scope.worker.name;
    if (scope.is_frozen) return std::int64_t{0};
    const Candidates found = TRY(sweep.find(transaction, scope.worker, kSliceMax));
    if (found.empty()) return std::int64_t{0};
    const std::vector<Event> events = TRY(sweep.act(transaction, scope.worker, found));
    TRY(append_events(transaction, context, events));
    return static_cast<std::int64_t>(events.size());
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
  if (changed > 0 && sweep.has_workers) report.workers.push_back(name);
  report.changed += changed;
  if (outcome.ok()) return outcome;
  if (outcome.error().kind == Error::Kind::kFenced || !sweep.has_workers) return outcome;
  if (outcome.error().kind == Error::Kind::kNotFound) return done();
  report.failures.push_back((name.empty() ? "worker #" + std::to_string(worker_id) : name) + ": " + outcome.error().message);
  return done();
}

}  // namespace

Result<PassReport> run_sweep(const Context& context, const Claim& claim, const Sweep& sweep) {
  PassReport report;
  std::set<std::int64_t> seen;
  const Walk walk = sweep.walk();
  while (true) {
    const Workers workers = TRY(walk());
    for (const std::int64_t worker : workers.ids) {
      if (!seen.insert(worker).second) continue;
      TRY(sweep_worker(context, claim, sweep, worker, report));
      if (report.changed < kRowsMax) continue;
      report.more = true;
      return report;
    }
    if (workers.last) return report;
  }
}

Result<Scope> open_scope(ports::Transaction& transaction, const Context& context, const Sweep& sweep, std::int64_t worker) {
  Scope scope;
  if (!sweep.has_workers) return scope;
  scope.worker = TRY(lock_worker(transaction, worker));
  scope.is_frozen = !sweep.stalled_too && is_stalled(scope.worker, context);
  return scope;
}

std::function<Walk()> walk_of(const Context& context, ports::Statement workers, ports::Values values) {
  return [&context, workers, values = std::move(values)]() -> Walk {
    return [&context, workers, values, after = std::int64_t{0}]() mutable -> Result<Workers> {
      ports::Values all = values;
      all.insert(all.end(), {after, kWorkersMax});
      Workers some;
      for (const ports::Row& row : TRY(context.database.run(workers, all))) some.ids.push_back(after = row.integer(0));
      some.last = static_cast<std::int64_t>(some.ids.size()) < kWorkersMax;
      return some;
    };
  };
}

Candidates candidates_of(const ports::Rows& rows) {
  Candidates candidates;
  candidates.reserve(rows.size());
  for (const ports::Row& row : rows) {
    Candidate candidate{.id = row.integer(0), .kind = {}, .handle = row.text(2), .reason = row.text(3), .bytes = {}};
    if (!row.is_null(1)) candidate.kind = static_cast<ResourceKind>(row.integer(1));
    if (!row.is_null(4)) candidate.bytes = row.integer(4);
    candidate.version = row.integer(5);
    candidate.owner = row.integer_or(6, 0);
    candidate.owner_version = row.integer(7);
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

std::string list_of(const Candidates& candidates) {
  wire::Json list = wire::Json::array();
  for (const Candidate& candidate : candidates) {
    list.push_back({{"id", candidate.id}, {"version", candidate.version}, {"owner_version", candidate.owner_version}});
  }
  return wire::to_text(list);
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

ActedOn acted_on(const Candidate& candidate) { return {candidate.kind, candidate.handle}; }

std::set<ActedOn> acted_on(const std::vector<Event>& events) {
  std::set<ActedOn> acted;
  for (const Event& event : events) {
    const std::string& name = event.kind ? event.handle : (event.owner.empty() ? event.worker : event.owner);
    acted.emplace(event.kind, name);
  }
  return acted;
}

}  // namespace reclaim::fleet
