#include "fleet/plan.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "fleet/slices.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::fleet {
namespace {

using wire::Json;

const Collector* collector_named(std::string_view name) {
  const auto all = collectors();
  const auto found = std::ranges::find(all, name, &Collector::name);
  return found == all.end() ? nullptr : &*found;
}

Json to_json(const PlanItem& item) {
  const Candidate& candidate = item.candidate;
  Json json = {{"pass", item.pass},        {"handle", candidate.handle},   {"reason", candidate.reason},
               {"row", candidate.id},      {"version", candidate.version}, {"worker_row", item.worker_row},
               {"owner", candidate.owner}, {"slice", item.slice},          {"owner_version", candidate.owner_version}};
  if (!item.worker.empty()) json["worker"] = item.worker;
  if (candidate.kind) json["kind"] = static_cast<int>(*candidate.kind);
  if (candidate.bytes) json["bytes"] = *candidate.bytes;
  return json;
}

Result<PlanItem> parse_item(const Json& json) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  wire::ObjectReader reader(json, "items");
  PlanItem item{.pass = reader.required_text("pass"),
                .worker = reader.text("worker").value_or(""),
                .worker_row = reader.required_integer("worker_row", 0, kMax),
                .slice = reader.required_integer("slice", 0, kMax),
                .candidate = {.id = reader.required_integer("row", 0, kMax),
                              .kind = {},
                              .handle = reader.required_text("handle"),
                              .reason = reader.required_text("reason"),
                              .bytes = reader.integer("bytes", 0, kMax),
                              .version = reader.required_integer("version", 0, kMax),
                              .owner = reader.required_integer("owner", 0, kMax),
                              .owner_version = reader.required_integer("owner_version", 0, kMax)}};
  if (const auto kind = reader.integer("kind", 0, 1)) item.candidate.kind = static_cast<ResourceKind>(*kind);
  TRY(reader.finish());
  return item;
}

// Runs the passes in transactions that are dropped, and keeps what they acted on.
class Rehearsal {
 public:
  explicit Rehearsal(const Context& context) : context_(context) {}

  // A worker's row, or none for all of them.
  Status run(const Collector& collector, std::optional<std::int64_t> worker) {
    const Sweep sweep = collector.sweep(context_);
    if (worker) return sweep.has_workers ? rehearse(collector, sweep, *worker) : done();
    std::set<std::int64_t> seen;
    const Walk walk = sweep.walk();
    for (Workers some; !some.last && !is_full();) {
      some = TRY(walk());
      for (const std::int64_t id : some.ids) {
        if (seen.insert(id).second && !is_full()) TRY(rehearse(collector, sweep, id));
      }
    }
    return done();
  }

  Plan take() {
    const bool truncated = is_full();
    if (truncated) items_.resize(kPlanItemsMax);
    return {.id = {}, .items = std::move(items_), .truncated = truncated};
  }

 private:
  bool is_full() const { return items_.size() > kPlanItemsMax; }

  Status rehearse(const Collector& collector, const Sweep& sweep, std::int64_t worker) {
    const std::size_t before = items_.size();
    for (int attempt = 1;; ++attempt) {
      Status status = rehearse_once(collector, sweep, worker);
      const bool is_gone = !status.ok() && status.error().kind == Error::Kind::kNotFound;
      if (status.ok() || is_gone) return done();
      items_.resize(before);
      if (status.error().kind != Error::Kind::kContended || attempt == ports::kTransactAttempts) return status;
    }
  }

  // Slice after slice, each seeing what the one before did, and none of it stays.
  Status rehearse_once(const Collector& collector, const Sweep& sweep, std::int64_t worker) {
    const std::unique_ptr<ports::Transaction> dropped = TRY(context_.database.begin(ports::Access::kWrite));
    while (!is_full()) {
      const Scope scope = TRY(open_scope(*dropped, context_, sweep, worker));
      if (scope.is_frozen) return done();
      const Candidates found = TRY(sweep.find(*dropped, scope.worker, kSliceMax));
      if (found.empty()) return done();
      const std::set<ActedOn> acted = acted_on(TRY(sweep.act(*dropped, scope.worker, found)));
      if (acted.empty()) return done();
      ++slice_;
      for (const Candidate& candidate : found) {
        if (!acted.contains(acted_on(candidate))) continue;
        items_.push_back({.pass = std::string(collector.name),
                          .worker = scope.worker.name,
                          .worker_row = scope.worker.id,
                          .slice = slice_,
                          .candidate = candidate});
      }
    }
    return done();
  }

  const Context& context_;
  std::vector<PlanItem> items_;
  std::int64_t slice_ = 0;
};

Status store(const Context& context, const Plan& plan) {
  Json list = Json::array();
  for (const PlanItem& item : plan.items) list.push_back(to_json(item));
  return ports::transact(context.database, ports::Access::kWrite, [&](ports::Transaction& transaction) -> Status {
    TRY(transaction.run(sql::plan_create, {plan.id, context.moment.now.ms, wire::to_text(list)}));
    TRY(transaction.run(sql::plans_trim, {(context.moment.now - kPlanRetention).ms, kPlansMax, std::int64_t{1000}}));
    return done();
  });
}

Result<std::vector<PlanItem>> read_plan(const Context& context, const std::string& id) {
  const ports::Rows rows = TRY(context.database.run(sql::plan_read, {id, (context.moment.now - kPlanRetention).ms}));
  if (rows.empty()) return not_found("no plan " + id + ": plans are kept for an hour, the latest " + std::to_string(kPlansMax));
  const Json list = TRY(wire::parse_json(rows[0].text(0)));
  std::vector<PlanItem> items;
  for (const Json& json : list) items.push_back(TRY(parse_item(json)));
  return items;
}

using Items = std::span<const PlanItem>;

// What stands against an orphan now.
std::string want_of(const ports::Row& row) {
  if (row.integer(2) != 0) return "its owner is live";
  if (row.integer(3) != 0) return "it is pinned";
  if (row.integer(4) != 0) return "it was touched";
  if (!row.is_null(5)) return "it hangs on container " + row.text(5);
  if (!row.is_null(6)) return "volume " + row.text(6) + " hangs on it";
  return "";
}

// Why the items of a slice that were not acted on were not.
class Refusals {
 public:
  static Result<Refusals> look(ports::Transaction& transaction, const Context& context, const Sweep& sweep, const Candidates& refused) {
    Refusals refusals(sweep);
    if (refused.empty() || !sweep.from) return refusals;
    Json ids = Json::array();
    for (const Candidate& candidate : refused) ids.push_back(candidate.id);
    const Moment& moment = context.moment;
    for (const ports::Row& row : TRY(transaction.run(
             sql::plan_look, {moment.now.ms, moment.trusted_from.ms, context.policy.touch_grace.count(), wire::to_text(ids)}))) {
      refusals.now_.emplace(row.integer(0), row);
    }
    return refusals;
  }

  std::string of(const Candidate& candidate) const {
    if (!sweep_.from) return std::string(sweep_.refusal);
    const auto found = now_.find(candidate.id);
    if (found == now_.end()) return "it is gone";
    const std::string& state = found->second.text(1);
    if (state != name_of(*sweep_.from)) return "it is " + state;
    const std::string wanted = sweep_.spares_wanted ? want_of(found->second) : "";
    return wanted.empty() ? std::string(sweep_.refusal) : wanted;
  }

 private:
  explicit Refusals(const Sweep& sweep) : sweep_(sweep) {}
  const Sweep& sweep_;
  std::map<std::int64_t, ports::Row> now_;
};

using Applied = std::vector<AppliedItem>;

Applied all_refused(Items items, const std::string& why) {
  Applied applied;
  for (const PlanItem& item : items) applied.push_back({item, why});
  return applied;
}

Result<Applied> apply_in(ports::Transaction& transaction, const Context& context, const Sweep& sweep, Items items) {
  const Scope scope = TRY(open_scope(transaction, context, sweep, items[0].worker_row));
  if (scope.is_frozen) return all_refused(items, "its worker is stalled: its rows are frozen");
  Candidates found;
  for (const PlanItem& item : items) found.push_back(item.candidate);
  const std::vector<Event> events = TRY(sweep.act(transaction, scope.worker, found));
  const std::set<ActedOn> acted = acted_on(events);
  Candidates left;
  std::ranges::copy_if(found, std::back_inserter(left), [&](const Candidate& each) { return !acted.contains(acted_on(each)); });
  const Refusals refusals = TRY(Refusals::look(transaction, context, sweep, left));
  Applied applied;
  for (const PlanItem& item : items) {
    applied.push_back({item, acted.contains(acted_on(item.candidate)) ? "" : refusals.of(item.candidate)});
  }
  TRY(append_events(transaction, context, events));
  return applied;
}

Result<Applied> apply_slice(const Context& context, Items items) {
  const Collector* collector = collector_named(items[0].pass);
  if (collector == nullptr) return all_refused(items, "this server knows no pass " + items[0].pass);
  const Sweep sweep = collector->sweep(context);
  Result<Applied> applied = ports::transact(context.database, ports::Access::kWrite,
                                            [&](ports::Transaction& transaction) { return apply_in(transaction, context, sweep, items); });
  if (!applied.ok() && applied.error().kind == Error::Kind::kNotFound) return all_refused(items, "its worker is gone");
  return applied;
}

}  // namespace

std::string_view kind_of(const PlanItem& item) {
  if (item.candidate.kind) return name_of(*item.candidate.kind);
  return item.worker.empty() ? "owner" : "worker";
}

Result<Plan> make_plan(const Context& context, Random& random, const PlanScope& scope) {
  for (const std::string& pass : scope.passes) {
    if (collector_named(pass) == nullptr) return invalid("passes", "no pass " + pass);
  }
  std::optional<std::int64_t> worker;
  if (scope.worker) {
    const ports::Rows rows = TRY(context.database.run(sql::worker_find, {scope.worker->str()}));
    if (rows.empty()) return invalid("worker", "no worker " + scope.worker->str());
    worker = parse_worker_row(rows[0]).id;
  }
  Rehearsal rehearsal(context);
  for (const Collector& collector : collectors()) {
    if (scope.passes.empty() || std::ranges::find(scope.passes, collector.name) != scope.passes.end()) {
      TRY(rehearsal.run(collector, worker));
    }
  }
  Plan plan = rehearsal.take();
  plan.id = make_uuid(random);
  TRY(store(context, plan));
  return plan;
}

Result<std::vector<AppliedItem>> apply_plan(const Context& context, const std::string& id) {
  const std::vector<PlanItem> items = TRY(read_plan(context, id));
  Applied applied;
  for (auto begin = items.begin(); begin != items.end();) {
    const auto end = std::find_if(begin, items.end(), [&](const PlanItem& item) { return item.slice != begin->slice; });
    for (AppliedItem& item : TRY(apply_slice(context, Items(begin, end)))) applied.push_back(std::move(item));
    begin = end;
  }
  return applied;
}

}  // namespace reclaim::fleet
