#include "server/control_plane.hpp"

#include <algorithm>
#include <utility>

#include "audit/events.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::server {
namespace {

constexpr std::int64_t kTrimSlice = 10 * fleet::kSliceMax;
constexpr const char* kFleetClaim = "fleet";

const fleet::Collector* collector_named(std::string_view name) {
  const auto all = fleet::collectors();
  const auto found = std::ranges::find(all, name, &fleet::Collector::name);
  return found == all.end() ? nullptr : &*found;
}

bool has_orders(const wire::SyncAnswer& answer) { return !answer.destroy.containers.empty() || !answer.destroy.volumes.empty(); }

}  // namespace

ControlPlane::ControlPlane(ports::Database& database, const Clock& clock, ControlPlaneOptions options)
    : database_(database),
      clock_(clock),
      options_(std::move(options)),
      claimant_(database, kFleetClaim, options_.holder, options_.claim_timeout),
      service_clock_(database, claimant_) {}

Status ControlPlane::open(Random& random) {
  TRY(database_.run(sql::meta_create, {std::string("lineage"), make_uuid(random)}));
  return tick();
}

fleet::Context ControlPlane::context(std::string actor) const {
  const std::lock_guard lock(clock_mutex_);
  const agents::ServiceClock::Reading reading = service_clock_.read(clock_.now());
  const bool settled = reading.served_since + options_.policy.worker_expiry <= reading.now;
  return {database_, options_.policy, {reading.now, settled ? ServiceTime{} : reading.served_since, clock_.wall()}, std::move(actor)};
}

std::optional<fleet::Claim> ControlPlane::claim() const {
  const std::lock_guard lock(clock_mutex_);
  const std::optional<std::int64_t> epoch = service_clock_.epoch();
  if (!epoch) return std::nullopt;
  return fleet::Claim{claimant_.claim(), claimant_.holder(), *epoch};
}

Status ControlPlane::tick() {
  const std::lock_guard lock(clock_mutex_);
  return service_clock_.tick(clock_.now());
}

Status ControlPlane::readiness() const {
  const std::lock_guard lock(clock_mutex_);
  if (service_clock_.is_fresh(clock_.now())) return done();
  return unavailable("the database does not answer");
}

void ControlPlane::wake(std::string_view pass) const {
  if (wake_) wake_(pass);
}

std::vector<std::string> ControlPlane::pass_names() {
  std::vector<std::string> names;
  for (const fleet::Collector& collector : fleet::collectors()) names.emplace_back(collector.name);
  names.emplace_back(kTrimEvents);
  return names;
}

Result<fleet::PassReport> ControlPlane::run_pass(std::string_view pass) {
  const std::optional<fleet::Claim> ours = claim();
  if (!ours) return fleet::PassReport{};
  return run_under(*ours, pass);
}

Result<fleet::PassReport> ControlPlane::run_under(const fleet::Claim& claim, std::string_view pass) {
  const fleet::Context context = this->context("pass:" + std::string(pass));
  if (pass == kTrimEvents) {
    const WallTime before = context.moment.wall - options_.event_retention;
    const std::int64_t trimmed = TRY(audit::trim_events(database_, before, options_.event_max, kTrimSlice));
    if (trimmed == kTrimSlice) wake(pass);
    return fleet::PassReport{.changed = trimmed, .more = trimmed == kTrimSlice};
  }
  const fleet::Collector* collector = collector_named(pass);
  check(collector != nullptr, "passes are run by names that pass_names() gave");
  fleet::PassReport report = TRY(collector->run(context, claim));
  for (const std::string& worker : report.workers) orders_changed(worker);
  if (report.changed > 0 && pass == "release-expired-owners") wake("mark-orphans");
  if (report.changed > 0 && pass == "creating-deadline") wake("mark-failed");
  if (report.more) wake(pass);
  return report;
}

Result<std::vector<PassOutcome>> ControlPlane::run_now(const std::vector<std::string>& passes) {
  for (const std::string& pass : passes) {
    if (!collector_named(pass)) return invalid("passes", "no pass " + pass);
  }
  {
    const std::lock_guard lock(clock_mutex_);
    TRY(service_clock_.seize(clock_.now()));
  }
  const std::optional<fleet::Claim> ours = claim();
  if (!ours) return conflict("another server took the passes over in the same moment: ask again");
  std::vector<PassOutcome> outcomes;
  for (const fleet::Collector& collector : fleet::collectors()) {
    if (!passes.empty() && std::ranges::find(passes, collector.name) == passes.end()) continue;
    Result<fleet::PassReport> report = run_under(*ours, collector.name);
    PassOutcome outcome{.pass = std::string(collector.name)};
    if (report.ok())
      outcome.report = std::move(report).value();
    else
      outcome.error = report.error().message;
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

void ControlPlane::sync(const std::string& actor, const fleet::SyncCaller& caller, const wire::SyncRequest& request,
                        SyncAnswered answered) {
  const Instant began = clock_.now();
  Result<fleet::SyncOutcome> outcome = fleet::sync(context(actor), caller, request);
  if (observer_) observer_(outcome, clock_.now() - began);
  if (!outcome.ok()) return answered(outcome.error());
  fleet::SyncOutcome& value = outcome.value();
  end_held(value.worker.str());
  if (value.marks_changed) {
    wake("mark-orphans");
    wake("missing");
    wake("unknown");
  }
  if (value.quiet && request.wait_ms > 0) return hold(value.worker, request, value.answer, std::move(answered));
  answered(std::move(value.answer));
}

Result<fleet::Worker> ControlPlane::call(const std::string& key, ports::WorkerCall call) {
  const WorkerName name = TRY(fleet::worker_of_key(database_, key));
  const fleet::Context context = this->context("worker:" + name.str());
  const auto use_case = [&] {
    switch (call) {
      case ports::WorkerCall::kHeartbeat: return &fleet::heartbeat;
      case ports::WorkerCall::kLand: return &fleet::land_worker;
      case ports::WorkerCall::kRetire: return &fleet::retire_worker;
      case ports::WorkerCall::kStatus: return &fleet::find_worker;
    }
    check(false, "unknown call of a worker");
    return &fleet::find_worker;
  };
  fleet::Worker worker = TRY(use_case()(context, name));
  worker_changed();
  return worker;
}

void ControlPlane::hold(const WorkerName& worker, const wire::SyncRequest& request, const wire::SyncAnswer& quiet, SyncAnswered answered) {
  // No longer than a third of the worker's expiry: waiting here must never look like silence.
  const Millis wait = std::min(Millis(request.wait_ms), options_.policy.worker_expiry / 3);
  Held held{.session = request.session,
            .sequence = request.sequence,
            .until = clock_.now() + wait,
            .rung = true,
            .quiet = quiet,
            .answered = std::move(answered)};
  held.quiet.next_sync_ms = 0;
  {
    const std::lock_guard lock(held_mutex_);
    held_.insert_or_assign(worker.str(), std::move(held));
  }
  // Marks between the sync and now rang in vain: look once more.
  wake("held-syncs");
}

void ControlPlane::end_held(const std::string& worker) {
  std::optional<Held> ended;
  {
    const std::lock_guard lock(held_mutex_);
    const auto found = held_.find(worker);
    if (found == held_.end()) return;
    ended = std::move(found->second);
    held_.erase(found);
  }
  ended->answered(ended->quiet);
}

void ControlPlane::orders_changed(const std::string& worker) {
  {
    const std::lock_guard lock(held_mutex_);
    const auto found = held_.find(worker);
    if (found == held_.end()) return;
    found->second.rung = true;
  }
  wake("held-syncs");
}

// Orders can also come from another server's pass: one question a round, for all that are held here.
Status ControlPlane::ring_workers_with_orders() {
  wire::Json names = wire::Json::array();
  {
    const std::lock_guard lock(held_mutex_);
    for (const auto& [name, held] : held_) names.push_back(name);
  }
  if (names.empty()) return done();
  const fleet::Context context = this->context("held-syncs");
  const ports::Rows rows = TRY(database_.run(sql::workers_with_orders, {context.moment.now.ms, wire::to_text(names)}));
  const std::lock_guard lock(held_mutex_);
  for (const ports::Row& row : rows) {
    const auto found = held_.find(row.text(0));
    if (found != held_.end()) found->second.rung = true;
  }
  return done();
}

void ControlPlane::serve_held() {
  (void)ring_workers_with_orders().ok();  // a database that is away answers the next round; held syncs end by their time
  const Instant now = clock_.now();
  std::vector<std::pair<std::string, Held>> due;
  {
    const std::lock_guard lock(held_mutex_);
    for (auto it = held_.begin(); it != held_.end();) {
      const bool is_due = it->second.rung || it->second.until <= now;
      if (!is_due) {
        ++it;
        continue;
      }
      due.emplace_back(it->first, std::move(it->second));
      it = held_.erase(it);
    }
  }
  for (auto& [name, held] : due) {
    Result<wire::SyncAnswer> orders = fleet::orders_for_held(context("worker:" + name), WorkerName(name), held.session, held.sequence);
    if (!orders.ok()) {
      held.answered(orders.error());
      continue;
    }
    if (has_orders(orders.value()) || held.until <= now) {
      held.answered(std::move(orders).value());
      continue;
    }
    held.rung = false;
    const std::lock_guard lock(held_mutex_);
    const auto [newer, free] = held_.try_emplace(name, held);
    if (!free) held.answered(held.quiet);
  }
}

void ControlPlane::release_held() {
  std::map<std::string, Held> all;
  {
    const std::lock_guard lock(held_mutex_);
    all.swap(held_);
  }
  for (auto& [name, held] : all) held.answered(held.quiet);
}

std::size_t ControlPlane::held() const {
  const std::lock_guard lock(held_mutex_);
  return held_.size();
}

}  // namespace reclaim::server
