#include "apps/drive_process.hpp"

#include <utility>

#include "adapters/system/process.hpp"
#include "apps/server_metrics.hpp"
#include "base/printable.hpp"
#include "drive/transfer.hpp"
#include "runtime/log.hpp"

namespace reclaim::apps {
namespace {

constexpr Millis kIdle{500};              // until the next look at the queues
constexpr Millis kAfterTrouble{1000};     // until the next try
constexpr Millis kHookPatience{540'000};  // below drive::kHookStep

}  // namespace

archive::Context DriveProcess::context() const {
  return {.database = parts_.database, .wall = parts_.clock.wall(), .actor = "drive:" + options_.name.str()};
}

Status DriveProcess::start() {
  parts_.metrics.set_only(http::Metric::kDriveTape, {""}, 0);
  TRY(archive::register_drive(context(), options_.name));
  TRY(sign_on());
  heart_ = std::make_unique<runtime::Loop>(parts_.clock, options_.heartbeat, [this](const std::stop_token&) { beat(); });
  loop_ = std::make_unique<runtime::Loop>(parts_.clock, [this](const std::stop_token&) { return work(); });
  return done();
}

void DriveProcess::stop() {
  is_stopping_ = true;
  if (loop_) loop_->stop();
  loop_.reset();
  leave();
  heart_.reset();
}

Status DriveProcess::sign_on() {
  auto agent = TRY(agents::Agent::register_as(parts_.store, options_.name.str(), "drive"));
  auto fresh = std::make_shared<Registered>(parts_.store, std::move(agent), [this] { return context(); });
  TRY(parts_.buffer.sweep(options_.name.str(), fresh->agent->id().epoch));
  const std::lock_guard lock(mutex_);
  registered_ = std::move(fresh);
  return done();
}

std::shared_ptr<DriveProcess::Registered> DriveProcess::registered() const {
  const std::lock_guard lock(mutex_);
  return registered_;
}

// Its beat stands still from here on, and a collector returns what it has.
void DriveProcess::give_up() {
  std::shared_ptr<Registered> former;
  {
    const std::lock_guard lock(mutex_);
    former.swap(registered_);
  }
  if (former) count_late(parts_.metrics, former->agent->heart().late());
}

// One that was collected finds out with its next step; one whose store is away beats again in a moment.
void DriveProcess::beat() {
  const std::shared_ptr<Registered> now = registered();
  if (now) (void)now->agent->heart().beat();
}

std::optional<Millis> DriveProcess::work() {
  if (is_stopping_) return std::nullopt;
  if (!registered()) {
    const Status signed_on = sign_on();
    if (!signed_on.ok()) return runtime::log_warning("cannot register: " + signed_on.error().message), kAfterTrouble;
    runtime::log_info("registered anew as " + registered()->agent->id().key());
  }
  const std::shared_ptr<Registered> now = registered();
  const Instant began = parts_.clock.now();
  const Result<drive::MountReport> report = serve(*now);
  measure(report, parts_.clock.now() - began);
  now->hand.progress(Millis(0));
  if (!report.ok()) {
    runtime::log_warning(report.error().message + "; it is tried again");
    if (report.error().kind != Error::Kind::kFenced) return kAfterTrouble;
    give_up();
    return Millis(0);
  }
  tell(report.value());
  if (report.value().is_in_doubt) give_up();
  return report.value().vid ? Millis(0) : kIdle;
}

drive::Drive DriveProcess::drive_of(Registered& registered) {
  return {.name = options_.name,
          .hand = registered.hand,
          .estate = registered.estate,
          .context = [this] { return context(); },
          .library = parts_.library,
          .buffer = parts_.buffer,
          .load = [this](const archive::Vid& vid) { return load(vid); },
          .unload = [this](const archive::Vid& vid) { return unload(vid); },
          .is_stopping = [this] { return is_stopping_.load(); },
          .resting = resting_,
          .told = [this](const drive::Try& tried) { count(tried); }};
}

Result<drive::MountReport> DriveProcess::serve(Registered& registered) {
  drive::Drive drive = drive_of(registered);
  return drive::serve_one_mount(drive);
}

void DriveProcess::tell(const drive::MountReport& report) {
  for (const std::string& problem : report.problems) runtime::log_warning(problem);
  if (!report.vid) {
    if (report.why != idle_because_ && !report.why.empty()) runtime::log_info("no mount: " + report.why);
    idle_because_ = report.why;
    return;
  }
  std::string told = "tape " + report.vid->str() + ": " + std::to_string(report.delivered) + " delivered";
  if (report.failed > 0) told += ", " + std::to_string(report.failed) + " failed";
  if (report.elsewhere > 0) told += ", " + std::to_string(report.elsewhere) + " to be read elsewhere or again";
  if (report.cancelled > 0) told += ", " + std::to_string(report.cancelled) + " cancelled";
  runtime::log_info(told + (report.why.empty() ? "" : "; " + report.why));
}

void DriveProcess::count(const drive::Try& tried) {
  parts_.metrics.add(http::Metric::kDriveFilesTotal, {std::string(drive::name_of(tried.came))});
  parts_.metrics.add(http::Metric::kDriveBytesTotal, {}, static_cast<double>(tried.bytes));
}

// Looking for a tape that is worth a mount is not measured.
void DriveProcess::measure(const Result<drive::MountReport>& report, Millis took) {
  using http::Metric;
  if (!report.ok()) return parts_.metrics.add(Metric::kPassFailuresTotal, {"mount"});
  const drive::MountReport& did = report.value();
  if (!did.vid) return;
  parts_.metrics.observe(Metric::kPassSeconds, {"mount"}, static_cast<double>(took.count()) / 1000.0);
  for (const auto& [outcome, count] : {std::pair("delivered", did.delivered), std::pair("failed", did.failed),
                                       std::pair("elsewhere", did.elsewhere), std::pair("cancelled", did.cancelled)}) {
    if (count > 0) parts_.metrics.add(Metric::kDriveRequestsTotal, {outcome}, static_cast<double>(count));
  }
}

Status DriveProcess::load(const archive::Vid& vid) {
  TRY(run_hook("mount", vid));
  parts_.metrics.add(http::Metric::kDriveMountsTotal, {});
  parts_.metrics.set_only(http::Metric::kDriveTape, {vid.str()}, 1);
  return done();
}

Status DriveProcess::unload(const archive::Vid& vid) {
  TRY(run_hook("unmount", vid));
  parts_.metrics.set_only(http::Metric::kDriveTape, {""}, 0);
  return done();
}

Status DriveProcess::run_hook(const char* what, const archive::Vid& vid) {
  if (options_.mount_hook.empty()) return done();
  const auto ended = TRY(system::run_process({{options_.mount_hook, what, vid.str()}}, parts_.clock, parts_.clock.now() + kHookPatience));
  if (ended.exit_code == 0) return done();
  const std::string said = printable(ended.errors.substr(0, ended.errors.find('\n')));
  return unavailable(options_.mount_hook + " " + what + " " + vid.str() + ": exit " + std::to_string(ended.exit_code) +
                     (said.empty() ? "" : ": " + said));
}

void DriveProcess::leave() {
  const std::shared_ptr<Registered> now = registered();
  if (!now) return;
  drive::Drive drive = drive_of(*now);
  const Status given_back = drive::give_everything_back(drive);
  const Status left = given_back.ok() ? now->agent->leave() : given_back;
  if (!left.ok()) runtime::log_warning("not everything could be given back: " + left.error().message + "; another process does it");
  give_up();
}

}  // namespace reclaim::apps
