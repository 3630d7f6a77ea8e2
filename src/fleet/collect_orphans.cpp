// mark-orphans: a resource nobody needs becomes destroying. Who is an orphan is said once, in collectors.sql: orphan_facts, is_orphan.
//
// The mark cannot be stale: the worker's lock keeps its rows as they are, the share locks keep the owners of the slice as they are, and
// the statement that marks begins after both, looks at the candidates anew, and passes over those whose owner has another version. A
// tree goes level by level: each slice makes candidates of what its rows hung on.
#include <memory>
#include <set>

#include "fleet/slices.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

inline constexpr std::int64_t kOwnersMax = 1000;  // ended owners looked at by one statement
inline constexpr std::int64_t kMarksMax = 50;     // marks of containers on their way out looked at by one statement

std::string ids_of(const std::set<std::int64_t>& ids) {
  wire::Json list = wire::Json::array();
  for (const std::int64_t id : ids) list.push_back(id);
  return wire::to_text(list);
}

// Ended owners in the order in which they ended, some at a time; empty: there are no more.
class EndedOwners {
 public:
  EndedOwners(const Context& context, ports::Statement statement) : context_(context), statement_(statement) {}

  Result<std::set<std::int64_t>> next() {
    std::set<std::int64_t> owners;
    for (const ports::Row& row : TRY(context_.database.run(statement_, {context_.moment.now.ms, ended_, owner_, kOwnersMax}))) {
      owners.insert(owner_ = row.integer(0));
      ended_ = row.integer(1);
    }
    return owners;
  }

 private:
  const Context& context_;
  ports::Statement statement_;
  std::int64_t ended_ = 0;
  std::int64_t owner_ = 0;
};

// Released owners that have nothing left to mark are looked at no more.
Status settle(const Context& context) {
  EndedOwners released(context, sql::orphan_owners_released);
  for (bool more = true; more;) {
    const std::set<std::int64_t> owners = TRY(released.next());
    if (!owners.empty()) TRY(context.database.run(sql::owners_settle, {ids_of(owners)}));
    more = static_cast<std::int64_t>(owners.size()) == kOwnersMax;
  }
  return done();
}

// The workers on which there are places of orphans, source by source, each in slices of bounded work.
class OrphanWalk {
 public:
  explicit OrphanWalk(const Context& context)
      : context_(context), released_(context, sql::orphan_owners_released), lapsed_(context, sql::orphan_owners_lapsed) {}

  Result<Workers> next() {
    switch (source_) {
      case Source::kReleased: return of_owners(released_, Source::kLapsed);
      case Source::kLapsed: return of_owners(lapsed_, Source::kAlone);
      case Source::kAlone: return alone();
      case Source::kHung: return hung();
    }
    check(false, "unknown source of orphans");
    return Workers{};
  }

 private:
  enum class Source { kReleased, kLapsed, kAlone, kHung };

  Result<Workers> of_owners(EndedOwners& ended, Source then) {
    const std::set<std::int64_t> owners = TRY(ended.next());
    if (static_cast<std::int64_t>(owners.size()) < kOwnersMax) source_ = then;
    Workers some;
    if (owners.empty()) return some;
    for (const ports::Row& row : TRY(context_.database.run(sql::orphan_workers_of_owners, {ids_of(owners)}))) {
      some.ids.push_back(row.integer(0));
    }
    return some;
  }

  Result<Workers> alone() {
    Workers some;
    for (const ports::Row& row : TRY(context_.database.run(sql::orphan_workers_alone, {worker_, kWorkersMax}))) {
      some.ids.push_back(worker_ = row.integer(0));
    }
    if (static_cast<std::int64_t>(some.ids.size()) == kWorkersMax) return some;
    source_ = Source::kHung;
    worker_ = 0;
    return some;
  }

  Result<Workers> hung() {
    const ports::Rows marks = TRY(context_.database.run(sql::orphan_workers_hung, {worker_, mark_, kMarksMax}));
    Workers some{.ids = {}, .last = marks.empty()};
    for (const ports::Row& row : marks) {
      worker_ = row.integer(0);
      mark_ = row.integer(1);
      if (row.integer(2) != 0) some.ids.push_back(worker_);
    }
    return some;
  }

  const Context& context_;
  Source source_ = Source::kReleased;
  EndedOwners released_;
  EndedOwners lapsed_;
  std::int64_t worker_ = 0;
  std::int64_t mark_ = 0;
};

ports::Values facts_of(const Context& context) {
  return {context.moment.now.ms, context.moment.trusted_from.ms, context.policy.touch_grace.count()};
}

Result<std::vector<Event>> mark(const Context& context, ports::Transaction& transaction, const WorkerRow& worker, const Candidates& found) {
  std::set<std::int64_t> owners;
  for (const Candidate& candidate : found) {
    if (candidate.owner != 0) owners.insert(candidate.owner);
  }
  if (!owners.empty()) TRY(transaction.run(sql::orphan_hold_owners, {ids_of(owners)}));
  ports::Values values = facts_of(context);
  values.insert(values.end(), {next_change(worker), context.moment.wall.ms, list_of(found)});
  const ports::Rows marked = TRY(transaction.run(sql::orphan_mark, values));
  if (!marked.empty()) TRY(draw_change(transaction, worker));
  // Or the slices after this one would look through them all again.
  if (!owners.empty()) TRY(transaction.run(sql::owners_settle, {ids_of(owners)}));
  return events_of(marked, worker, "marked", "created", "destroying");
}

}  // namespace

Sweep mark_orphans_sweep(const Context& context) {
  const auto walk = [&context]() -> Walk { return [walking = std::make_shared<OrphanWalk>(context)] { return walking->next(); }; };
  const auto find = [&context](ports::Transaction& transaction, const WorkerRow& worker, std::int64_t limit) -> Result<Candidates> {
    ports::Values values = facts_of(context);
    values.insert(values.end(), {worker.id, limit});
    return candidates_of(TRY(transaction.run(sql::orphan_find, values)));
  };
  const auto act = [&context](ports::Transaction& transaction, const WorkerRow& worker, const Candidates& found) {
    return mark(context, transaction, worker, found);
  };
  return {.walk = walk,
          .find = find,
          .act = act,
          .refusal = "it or its owner has changed",
          .from = ResourceState::kCreated,
          .spares_wanted = true};
}

Result<PassReport> mark_orphans(const Context& context, const Claim& claim) {
  TRY(settle(context));
  return run_sweep(context, claim, mark_orphans_sweep(context));
}

}  // namespace reclaim::fleet
