#include "fleet/explain.hpp"

#include "fleet/worker_row.hpp"
#include "ports/statements.hpp"

namespace reclaim::fleet {
namespace {

constexpr std::int64_t kDependentsShown = 100;

// When a clock that runs out at `at` does so in wall time, if serving goes on.
WallTime expected(const Moment& moment, ServiceTime at) { return moment.wall + std::max(Millis(0), at - moment.now); }

struct OrphanFacts {
  std::string owner;
  bool owner_ended = false;
  bool live_owner = false;
  bool pinned = false;
  bool touched = false;
  std::string held_by_container;
  std::string held_by_child;
  std::optional<ServiceTime> touched_at;
  bool orphan = false;
};

Result<OrphanFacts> read_facts(const Context& context, std::int64_t id) {
  const Moment& moment = context.moment;
  const ports::Rows rows =
      TRY(context.database.run(sql::orphan_explain, {moment.now.ms, moment.trusted_from.ms, context.policy.touch_grace.count(), id}));
  if (rows.empty()) return not_found("it has just gone");
  const ports::Row& row = rows[0];
  OrphanFacts facts{.owner = row.text_or(1, ""),
                    .owner_ended = !row.is_null(2),
                    .live_owner = row.integer(3) != 0,
                    .pinned = row.integer(4) != 0,
                    .touched = row.integer(5) != 0,
                    .held_by_container = row.text_or(6, ""),
                    .held_by_child = row.text_or(7, "")};
  if (!row.is_null(8)) facts.touched_at = ServiceTime{row.integer(8)};
  facts.orphan = row.integer(9) != 0;
  return facts;
}

void explain_created(const Context& context, const Resource& resource, const OrphanFacts& facts, Explanation& explanation) {
  explanation.rule = "mark-orphans";
  if (facts.live_owner) explanation.because.push_back("its owner " + facts.owner + " is live");
  if (facts.pinned) explanation.because.push_back("it is pinned: " + resource.pin_reason);
  if (facts.touched) {
    explanation.because.push_back("it was touched within the touch grace");
    if (!facts.live_owner && !facts.pinned) explanation.earliest = expected(context.moment, *facts.touched_at + context.policy.touch_grace);
  }
  const bool wanted = !explanation.because.empty();
  if (facts.owner.empty()) explanation.because.push_back("it has no owner");
  if (!facts.owner.empty() && !facts.live_owner) {
    explanation.because.push_back("its owner " + facts.owner + (facts.owner_ended ? " is released" : "'s lease has run out"));
  }
  if (!facts.held_by_container.empty()) explanation.blocked_by.push_back("container " + facts.held_by_container);
  if (!facts.held_by_child.empty()) explanation.blocked_by.push_back("volume " + facts.held_by_child);
  if (resource.missing_since)
    explanation.because.push_back("it is missing from its worker's inventory since " + to_rfc3339(*resource.missing_since));
  const bool blocked = !explanation.blocked_by.empty();
  explanation.verdict = facts.orphan ? "will_be_marked" : (wanted || !blocked ? "kept" : "waiting");
}

Status explain_destroying(const Context& context, const Resource& resource, Explanation& explanation) {
  explanation.verdict = "destroying";
  explanation.rule = "confirm";
  explanation.because.push_back(resource.reason);
  if (resource.in_hand)
    explanation.because.push_back(resource.stuck ? "its worker has the order in hand and is stuck with it"
                                                 : "its worker has the order in hand");
  const ports::Rows dependents = TRY(context.database.run(sql::resource_dependents, {resource.id, kDependentsShown}));
  for (const ports::Row& row : dependents) explanation.blocked_by.push_back("volume " + row.text(0));
  return done();
}

Status explain_creating(const Context& context, const Resource& resource, Explanation& explanation) {
  explanation.verdict = "kept";
  explanation.rule = "creating-deadline";
  explanation.because.emplace_back("it is being created");
  const ports::Rows rows = TRY(context.database.run(sql::resource_entered, {resource.id}));
  if (!rows.empty()) explanation.earliest = expected(context.moment, ServiceTime{rows[0].integer(0)} + context.policy.creating_timeout);
  return done();
}

Status explain_row(const Context& context, const Resource& resource, Explanation& explanation) {
  switch (resource.state) {
    case ResourceState::kCreating: return explain_creating(context, resource, explanation);
    case ResourceState::kFailed:
      explanation.verdict = "will_be_marked";
      explanation.rule = "mark-failed";
      explanation.because.push_back("its creation failed and may have left something");
      return done();
    case ResourceState::kCreated: explain_created(context, resource, TRY(read_facts(context, resource.id)), explanation); return done();
    case ResourceState::kDestroying: return explain_destroying(context, resource, explanation);
    case ResourceState::kGone: break;
  }
  check(false, "a row is never gone");
  return done();
}

}  // namespace

Result<Explanation> explain(const Context& context, const ResourceName& name) {
  const ports::Rows workers = TRY(context.database.run(sql::worker_find, {name.worker.str()}));
  if (workers.empty()) return not_found("no worker " + name.worker.str());
  const WorkerRow worker = parse_worker_row(workers[0]);
  Explanation explanation;
  Result<Resource> found = find_resource(context, name);
  if (!found.ok()) {
    if (found.error().kind != Error::Kind::kNotFound) return found.error();
    const ports::Rows strangers =
        TRY(context.database.run(sql::unknown_find, {worker.id, static_cast<std::int64_t>(name.kind), name.handle.str()}));
    if (strangers.empty()) return found.error();
    explanation.verdict = "unknown";
    explanation.rule = "unknown";
    explanation.because.push_back("it is on the worker and has no record");
    if (strangers[0].integer(1) != 0)
      explanation.blocked_by.push_back("found at first contact, held for the operator: `reclaim workers accept " + worker.name + "`");
    else if (!strangers[0].is_null(0)) {
      explanation.earliest = expected(context.moment, ServiceTime{strangers[0].integer(0)} + context.policy.unknown_grace);
    }
    return explanation;
  }
  const Resource resource = TRY(std::move(found));
  TRY(explain_row(context, resource, explanation));
  explanation.last_error = resource.last_error;
  if (is_stalled(worker, context)) explanation.blocked_by.push_back("worker " + worker.name + " is stalled: its rows are frozen");
  const std::string& brake = worker.inventories[name.kind].brake;
  if (!brake.empty()) explanation.blocked_by.push_back("worker " + worker.name + " is braked: " + brake);
  if (!worker.regressed.empty()) {
    explanation.blocked_by.push_back("worker " + worker.name + " has seen more than this database remembers: see `reclaim lineage show`");
  }
  if (!worker.frozen.empty()) explanation.blocked_by.push_back("worker " + worker.name + " is frozen: " + worker.frozen);
  return explanation;
}

}  // namespace reclaim::fleet
