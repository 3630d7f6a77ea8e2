#include "server/maintenance.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "archive/cleanup.hpp"
#include "archive/estate.hpp"
#include "archive/sweep.hpp"

namespace reclaim::server {
namespace {

constexpr Millis kStep{30'000};
constexpr std::size_t kNamesAtOnce = 1'000;      // of the dead
constexpr std::size_t kLooksAtOnce = 1'000;      // of the sweep
constexpr std::size_t kRequestsAtOnce = 20'000;  // of the cleanup: a tape that leaves service meanwhile waits so long
constexpr const char* kKind = "maintenance";

void append(std::vector<std::string>& to, std::vector<std::string> problems) {
  to.insert(to.end(), std::make_move_iterator(problems.begin()), std::make_move_iterator(problems.end()));
}

}  // namespace

std::uint64_t PassRun::count(std::string_view what) const {
  const auto found = std::ranges::find(counts, what, &std::pair<std::string_view, std::uint64_t>::first);
  return found == counts.end() ? 0 : found->second;
}

Result<PassRun> ArchivePass::run(const std::string& actor) {
  const std::lock_guard lock(mutex_);
  Result<PassRun> done = run_joined(actor);
  if (agent_) agent_->heart().progress(Millis(0));
  if (done.ok()) done.value().late = std::exchange(late_, {});
  if (done.ok() && done.value().gives_up) agent_->heart().fence();
  return done;
}

Result<PassRun> ArchivePass::run_joined(const std::string& actor) {
  const agents::Membership::Joined joined = TRY(membership_.join());
  for (const auto& [what, count] : joined.late) late_[what] += count;
  if (joined.agent != agent_) {
    auto hand = std::make_unique<archive::Hand>(store_, *joined.agent);
    begin(*hand, joined.agent);
    hand_ = std::move(hand);
    agent_ = joined.agent;
  }
  agent_->heart().progress(kStep);
  return work(actor);
}

Status ArchivePass::stop() {
  const std::lock_guard lock(mutex_);
  if (agent_ && !agent_->heart().is_fenced()) TRY(give_back());
  return membership_.leave();
}

class Maintenance::AgentsPass final : public ArchivePass {
 public:
  AgentsPass(ports::Database& database, ports::ObjectStore& store, const Clock& clock, const MaintenanceOptions& options)
      : ArchivePass(store, options.process + "-agents", kKind), database_(database), clock_(clock), options_(options) {}

  std::string_view name() const override { return kAgents; }

  Watched watched() const {
    const std::lock_guard lock(mutex_);
    return watched_;
  }

 private:
  void begin(archive::Hand& hand, const std::shared_ptr<agents::Agent>& agent) override {
    hand_ = &hand;
    sweep_.reset();
    takeover_.reset();
    estate_.emplace(hand, [this] { return archive::Context{database_, clock_.wall(), "pass:" + std::string(kAgents)}; });
    takeover_.emplace(store(), *agent, *estate_, options_.agent_timeout);
    sweep_.emplace(hand, *estate_);
  }

  Result<PassRun> work(const std::string& actor) override {
    PassRun run{.pass = std::string(kAgents)};
    const Status given = archive::give_back(*hand_, *estate_, "segment");
    if (!given.ok()) run.problems.push_back(given.error().message);
    agents::TakeoverReport taken = TRY(takeover_->run(clock_.now(), kNamesAtOnce));
    note_watched();
    run.more = taken.more;
    run.counts = {{"collected", taken.collected}, {"taken", taken.taken}, {"settled", taken.settled}, {"leftovers", taken.leftovers}};
    append(run.problems, std::move(taken.problems));
    if (actor.starts_with("pass:") && swept_at_ && clock_.now() - *swept_at_ < options_.sweep_period) return run;
    archive::SweepReport swept = TRY(sweep_->run(kLooksAtOnce));
    swept_at_ = clock_.now();
    run.more = run.more || swept.more;
    run.counts.emplace_back("swept", swept.settled);
    append(run.problems, std::move(swept.problems));
    return run;
  }

  Status give_back() override {
    for (const char* kind : {"segment", "queue", "mount"}) TRY(archive::give_back(*hand_, *estate_, kind));
    return done();
  }

  void note_watched() {
    const std::lock_guard lock(mutex_);
    watched_ = {.self = hand_->id(), .judgements = takeover_->judgements()};
  }

  ports::Database& database_;
  const Clock& clock_;
  const MaintenanceOptions options_;
  archive::Hand* hand_ = nullptr;
  std::optional<archive::ArchiveEstate> estate_;
  std::optional<agents::Takeover> takeover_;
  std::optional<archive::Sweep> sweep_;
  std::optional<Instant> swept_at_;
  mutable std::mutex mutex_;  // of what was seen
  Watched watched_;
};

// One that has no more of its own than its hand.
class Maintenance::HandPass final : public ArchivePass {
 public:
  HandPass(ports::Database& database, ports::ObjectStore& store, const Clock& clock, const std::string& process, std::string_view name,
           Work work)
      : ArchivePass(store, process + '-' + std::string(name), kKind),
        database_(database),
        clock_(clock),
        name_(name),
        work_(std::move(work)) {}

  std::string_view name() const override { return name_; }

 private:
  void begin(archive::Hand& hand, const std::shared_ptr<agents::Agent>& /*agent*/) override {
    hand_ = &hand;
    estate_.emplace(hand, [this] { return context("pass:" + name_); });
  }

  Result<PassRun> work(const std::string& actor) override {
    PassRun run = TRY(work_([&] { return context(actor); }, *hand_, *estate_));
    run.pass = name_;
    return run;
  }

  // Reservations go with the queues' names.
  Status give_back() override {
    for (const char* kind : {"segment", "queue"}) TRY(archive::give_back(*hand_, *estate_, kind));
    return done();
  }

  archive::Context context(std::string actor) const { return {database_, clock_.wall(), std::move(actor)}; }

  ports::Database& database_;
  const Clock& clock_;
  const std::string name_;
  const Work work_;
  archive::Hand* hand_ = nullptr;
  std::optional<archive::ArchiveEstate> estate_;
};

namespace {

Result<PassRun> clean_up(const Maintenance::Contexts& context, archive::Hand& hand, agents::Estate& estate) {
  archive::CleanupReport report = TRY(archive::clean_up(context(), hand, estate, kRequestsAtOnce));
  return PassRun{.pass = {},
                 .counts = {{"finished", report.finished},
                            {"waiting", report.waiting},
                            {"requeued", report.requeued},
                            {"failed", report.failed},
                            {"ended", report.ended},
                            {"refused", report.refused}},
                 .more = report.more,
                 .problems = std::move(report.problems)};
}

}  // namespace

Maintenance::Maintenance(ports::Database& database, ports::ObjectStore& store, const Clock& clock, const MaintenanceOptions& options)
    : database_(database), store_(store), clock_(clock), options_(options) {
  if (is_wanted(kAgents)) {
    auto pass = std::make_unique<AgentsPass>(database, store, clock, options);
    watcher_ = pass.get();
    passes_.push_back(std::move(pass));
  }
  add(kCleanup, clean_up);
}

void Maintenance::add(std::string_view name, Work work) {
  if (!is_wanted(name)) return;
  passes_.push_back(std::make_unique<HandPass>(database_, store_, clock_, options_.process, name, std::move(work)));
}

bool Maintenance::is_wanted(std::string_view pass) const {
  return options_.passes.empty() || std::ranges::find(options_.passes, pass) != options_.passes.end();
}

Maintenance::~Maintenance() = default;

std::vector<std::string> Maintenance::names() const {
  std::vector<std::string> names;
  for (const auto& pass : passes_) names.emplace_back(pass->name());
  return names;
}

std::vector<std::string> Maintenance::all_names() { return {std::string(kAgents), std::string(kCleanup), std::string(kReports)}; }

ArchivePass* Maintenance::find(std::string_view pass) const {
  const auto found = std::ranges::find(passes_, pass, [](const auto& each) { return each->name(); });
  return found == passes_.end() ? nullptr : found->get();
}

Result<PassRun> Maintenance::run(std::string_view pass, const std::string& actor) const {
  ArchivePass* found = find(pass);
  check(found != nullptr, "passes are run by names that names() gave");
  return run_observed(*found, actor);
}

Result<PassRun> Maintenance::run_observed(ArchivePass& pass, const std::string& actor) const {
  const Instant began = clock_.now();
  Result<PassRun> run = pass.run(actor);
  if (observer_) observer_(std::string(pass.name()), run, clock_.now() - began);
  return run;
}

Result<std::vector<PassRun>> Maintenance::run_now(const std::vector<std::string>& passes, const std::string& actor) const {
  for (const std::string& pass : passes) {
    if (find(pass) != nullptr) continue;
    std::string wrong = "there is no pass " + pass;
    const char* before = "; there are ";
    for (const std::string& name : names()) wrong.append(std::exchange(before, ", ")).append(name);
    return invalid("passes", std::move(wrong));
  }
  std::vector<PassRun> runs;
  for (const std::string& pass : passes.empty() ? names() : passes) {
    Result<PassRun> run = run_observed(*find(pass), actor);
    runs.push_back(run.ok() ? std::move(run).value() : PassRun{.pass = pass, .error = run.error().message});
  }
  return runs;
}

Status Maintenance::beat() const {
  Status first;
  for (const auto& pass : passes_) {
    const Status beaten = pass->beat();
    if (!beaten.ok() && first.ok()) first = beaten;
  }
  return first;
}

Status Maintenance::stop() const {
  Status first;
  for (const auto& pass : passes_) {
    const Status stopped = pass->stop();
    if (!stopped.ok() && first.ok()) first = stopped;
  }
  return first;
}

Watched Maintenance::watched() const { return watcher_ == nullptr ? Watched() : watcher_->watched(); }

}  // namespace reclaim::server
