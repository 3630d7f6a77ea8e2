#include "sim/fleet_scene.hpp"

#include <array>

#include "fleet/lineage.hpp"
#include "ports/statements.hpp"

namespace reclaim::sim {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
// By how much service time runs ahead for each leap of a clock, at most.
constexpr std::int64_t kLeapMs = 6'000;
constexpr std::size_t kAwayMost = 6;  // steps
constexpr std::int64_t kEventsTold = 1000;

constexpr std::array kPossible = {
    Likely{FaultKind::kDatabaseAway, 20}, Likely{FaultKind::kDatabaseSilent, 15}, Likely{FaultKind::kDiskFull, 5},
    Likely{FaultKind::kDeath, 4},         Likely{FaultKind::kTimeLeap, 15},       Likely{FaultKind::kWallJump, 30},
    Likely{FaultKind::kMessageLost, 80},  Likely{FaultKind::kAnswerLost, 80},     Likely{FaultKind::kMessageLate, 80},
    Likely{FaultKind::kMessageTwice, 80}, Likely{FaultKind::kDiskWiped, 8},       Likely{FaultKind::kTwin, 10},
    Likely{FaultKind::kStateFull, 20},    Likely{FaultKind::kListFails, 40},      Likely{FaultKind::kHang, 60},
    Likely{FaultKind::kPoison, 150},      Likely{FaultKind::kVanish, 15},         Likely{FaultKind::kStranger, 25},
    Likely{FaultKind::kDeafWorker, 12},   Likely{FaultKind::kRestore, 4000},      Likely{FaultKind::kAbandon, 40},
};

// Graces of seconds, so that a run of some minutes sees all of them end.
fleet::Policy brisk_policy(Dice& dice) {
  fleet::Policy policy;
  policy.sync_interval = Millis(4'000);
  policy.worker_expiry = Millis(30'000);
  policy.missing_grace = Millis(20'000);
  policy.unknown_grace = dice.happens(500) ? Millis(20'000) : Millis(365LL * 24 * kHourMs);
  policy.touch_grace = Millis(20'000);
  policy.creating_timeout = Millis(dice.happens(500) ? 40'000 : 90'000);
  policy.brake_min = dice.happens(250) ? 3 : 20;
  return policy;
}

}  // namespace

FleetScene::FleetScene(Run& the_run)
    : run(the_run),
      faults(run.dice, kPossible),
      unreliable(database, faults, run.dice, [this](const std::string& what) { say("database", what); }),
      policy_(brisk_policy(run.dice)),
      world(database, policy_) {
  // After a restore some things cannot be known (docs/crash-safety.md, "Not kept yet"); two machines with one disk would add more of it.
  if (faults.has(FaultKind::kRestore)) faults.leave_out(FaultKind::kTwin);
  // A copy of a machine tells of destroys that the other has not done: only the unknown grace finds those.
  if (faults.has(FaultKind::kTwin)) policy_.unknown_grace = Millis(20'000);
  world.policy() = policy_;
  truth.touch_grace_ms = policy_.touch_grace.count();
  world.see_through(unreliable);
  faults.calm(true);
  start_server();
}

void FleetScene::say(const std::string& who, const std::string& what) {
  run.story.say(std::to_string(truth.now_ms / 1000) + "s " + who, what);
}

void FleetScene::start_server() {
  server_ = std::make_unique<Server>(unreliable, "server-" + std::to_string(++servers_));
  if (tick().ok()) {
    tell_the_time();
    return say("server", "serves");
  }
  server_.reset();
  back_at_ = step + 1 + run.dice.below(kAwayMost);
  say("server", "cannot start: it does not know the service time");
}

void FleetScene::pass(Millis by) {
  truth.now_ms += by.count();
  monotonic_ms_ += by.count();
  wall_ms_ += by.count();
  if (faults.strikes(FaultKind::kTimeLeap)) {
    monotonic_ms_ += kHourMs;
    wall_ms_ += kHourMs;
    truth.tolerance_ms += kLeapMs;
    say("server", "was suspended for an hour, by its clocks");
  }
  if (faults.strikes(FaultKind::kWallJump)) {
    const std::int64_t jump = run.dice.happens(500) ? kHourMs : -kHourMs;
    wall_ms_ += jump;
    say("server", std::string("its clock is set an hour ") + (jump > 0 ? "forth" : "back"));
  }
  if (!server_ && step >= back_at_) return start_server();
  if (server_) (void)tick().ok();
  if (server_) tell_the_time();
}

Status FleetScene::tick() {
  try {
    return server_->clock.tick(Instant{monotonic_ms_});
  } catch (const Crash&) {
    die();
    return unavailable("the server is dead");
  }
}

void FleetScene::tell_the_time() {
  const agents::ServiceClock::Reading reading = server_->clock.read(Instant{monotonic_ms_});
  const bool is_settled = reading.served_since + policy_.worker_expiry <= reading.now;
  world.set_moment({reading.now, is_settled ? ServiceTime{} : reading.served_since, {wall_ms_}});
}

void FleetScene::tell_decisions() {
  for (const audit::RecordedEvent& event : must(audit::read_events(database, told_, kEventsTold))) {
    say("server", in_words(event));
    note(event.event);
    told_ = event.seq;
  }
}

void FleetScene::note(const audit::Event& event) {
  if (!event.kind) return;
  const ThingName name{event.worker, *event.kind, event.handle};
  if (event.action == "lost") truth.lost.insert(name);
  if (event.action == "restored" || event.action == "adopted" || event.action == "registered") truth.lost.erase(name);
  if (event.action == "marked") truth.marked(name);
}

void FleetScene::die() {
  server_.reset();
  truth.tolerance_ms += kLeapMs;
  back_at_ = step + 1 + run.dice.below(kAwayMost);
  say("server", "is dead");
}

void FleetScene::run_pass(const fleet::Collector& collector) {
  if (!server_ || !server_->clock.epoch()) return;
  const fleet::Claim claim{"fleet", server_->claimant.holder(), *server_->clock.epoch()};
  const std::string name(collector.name);
  const auto report = ask("pass:" + name, [&](const fleet::Context& context) { return collector.run(context, claim); });
  if (!report.ok()) return say("pass " + name, report.error().message);
  if (report.value().changed > 0) say("pass " + name, std::to_string(report.value().changed) + " changed");
}

void FleetScene::take_copy() {
  database.take_copy();
  copied_ms = truth.now_ms;
  copied_told_ = told_;
  say("operator", "takes a copy of the database");
}

void FleetScene::restore() {
  server_.reset();
  database.put_copy_back();
  told_ = copied_told_;
  truth.lost.clear();
  const std::string lineage = "l" + std::to_string(2 + restores++);
  must(fleet::restore_lineage(plainly(), lineage));
  say("operator", "restores the database from its copy of " + std::to_string(copied_ms / 1000) + "s; it begins lineage " + lineage);
  back_at_ = step + 1 + run.dice.below(kAwayMost);
}

std::vector<fleet::Resource> FleetScene::rows(const std::string& worker, ResourceKind kind,
                                              std::optional<fleet::ResourceState> state) const {
  return must(fleet::list_resources(plainly(), {.kind = kind, .worker = worker, .state = state, .limit = 10'000}));
}

std::int64_t FleetScene::unaccounted() const {
  const ports::Rows totals = must(database.run(sql::ledger_totals, ports::Values{}));
  return totals[0].integer(0) - totals[0].integer(1) - totals[0].integer(2);
}

}  // namespace reclaim::sim
