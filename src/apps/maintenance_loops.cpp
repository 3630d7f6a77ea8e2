#include "apps/maintenance_loops.hpp"

#include <algorithm>
#include <utility>

#include "runtime/log.hpp"

namespace reclaim::apps {
namespace {

void warn(const std::string& pass, const std::string& what) { runtime::log_warning(pass + ": " + what); }

std::string counted(const std::string& what, std::uint64_t count) { return std::to_string(count) + ' ' + what; }

}  // namespace

MaintenanceLoops::MaintenanceLoops(server::Maintenance& maintenance, const Clock& clock, server::Maintenance::Observer told,
                                   std::function<void()> beat_too)
    : maintenance_(maintenance), clock_(clock), beat_too_(std::move(beat_too)) {
  maintenance_.set_observer([this, told = std::move(told)](const std::string& pass, const Result<server::PassRun>& run, Millis took) {
    told(pass, run, took);
    pass_on(pass, run);
  });
}

void MaintenanceLoops::start(const MaintenancePeriods& periods) {
  const std::lock_guard lock(mutex_);
  heart_ = std::make_unique<runtime::Loop>(clock_, periods.heartbeat, [this](const std::stop_token&) {
    // One that was collected finds out in its next pass; one whose store is away beats again in a moment.
    (void)maintenance_.beat();
    if (beat_too_) beat_too_();
  });
  if (!periods.interval) return;
  for (const std::string& pass : maintenance_.names()) {
    // Who watches others looks more often than twice in a timeout.
    const Millis period = pass == server::kAgents ? std::min(*periods.interval, periods.agent_timeout / 3) : *periods.interval;
    loops_.emplace(pass,
                   std::make_unique<runtime::Loop>(clock_, [this, pass, period](const std::stop_token&) { return run(pass, period); }));
  }
}

std::optional<Millis> MaintenanceLoops::run(const std::string& pass, Millis period) {
  const Result<server::PassRun> run = maintenance_.run(pass, "pass:" + pass);
  // Who was collected comes back at once.
  const bool was_collected = !run.ok() && run.error().kind == Error::Kind::kFenced;
  return was_collected || (run.ok() && run.value().more) ? Millis(0) : period;
}

void MaintenanceLoops::pass_on(const std::string& pass, const Result<server::PassRun>& run) {
  if (!run.ok()) return;
  const server::PassRun& did = run.value();
  if (did.count("collected") > 0) wake(server::kCleanup);
  // The to-report queue of a tape is free for reports when its cleanup is over.
  const bool has_cleaned = pass == server::kCleanup && (did.count("failed") > 0 || did.count("finished") > 0);
  if (has_cleaned || did.count("collected") > 0) wake(server::kReports);
}

void MaintenanceLoops::wake(std::string_view pass) {
  const std::lock_guard lock(mutex_);
  const auto loop = loops_.find(pass);
  if (loop != loops_.end()) loop->second->wake();
}

void MaintenanceLoops::stop() {
  std::map<std::string, std::unique_ptr<runtime::Loop>, std::less<>> loops;
  {
    const std::lock_guard lock(mutex_);
    loops.swap(loops_);
  }
  for (auto& [pass, loop] : loops) loop->stop();
  loops.clear();
  if (!heart_) return;
  const Status stopped = maintenance_.stop();
  if (!stopped.ok()) runtime::log_warning("not everything could be given back: " + stopped.error().message + "; another process does it");
  heart_.reset();
}

void log_maintenance(const std::string& pass, const Result<server::PassRun>& run) {
  if (!run.ok()) return runtime::log_warning(pass + ": " + run.error().message + "; it is tried again");
  for (const auto& [what, count] : run.value().late) {
    warn(pass, "was taken for dead; writes that came too late and were refused: " + counted(what, count));
  }
  for (const std::string& problem : run.value().problems) warn(pass, problem + "; it is tried again");
  std::string done;
  for (const auto& [what, count] : run.value().counts) {
    // What waits is a level and no event.
    if (count > 0 && what != "waiting") done.append(done.empty() ? "" : ", ").append(std::to_string(count) + ' ').append(what);
  }
  if (!done.empty()) runtime::log_info(pass + ": " + done);
}

}  // namespace reclaim::apps
