#include "sim/workload_fleet.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "sim/fleet_clients.hpp"
#include "sim/fleet_crew.hpp"
#include "sim/fleet_scene.hpp"

namespace reclaim::sim {
namespace {

constexpr Millis kTick{4'500};   // less than a gap of service time
constexpr int kRoundsHung = 30;  // of two ticks each: longer than all graces after each other
constexpr int kRoundsAtRest = 30;
constexpr std::size_t kAccountsEvery = 16;
constexpr int kStartsMost = 16;

class FleetWorkload : public Workload {
 public:
  explicit FleetWorkload(Run& run) : run_(run), scene_(run), crew_(scene_), clients_(scene_, crew_) {}

  void setup() override {
    crew_.enroll();
    for (int i = 0; i < 3; ++i) round();
  }

  void start() override {
    scene_.faults.calm(false);
    const std::size_t copy_at = run_.steps / 10 + run_.dice.below(run_.steps / 2 + 1);
    const std::size_t restore_at = copy_at + 1 + run_.dice.below(run_.steps / 3 + 1);
    for (std::size_t i = 0; i < run_.steps && run_.breaches.empty(); ++i) {
      ++scene_.step;
      scene_.pass(Millis(run_.dice.between(300, 3'000)));
      if (scene_.faults.has(FaultKind::kRestore) && i == copy_at) scene_.take_copy();
      if (i == restore_at && scene_.copied_ms > 0 && scene_.faults.strikes(FaultKind::kRestore)) restore();
      if (run_.dice.happens(700)) clients_.act();
      crew_.act();
      if (run_.dice.happens(600)) scene_.run_pass(any_pass());
      if (i % kAccountsEvery == 0) expect_balance();
    }
  }

  void check() override {
    calm_down();
    crew_.mend();
    clients_.finish();
    for (int i = 0; i < kRoundsHung && crew_.hung() > 0; ++i) round();
    expect_nobody_waits();
    crew_.end_hung();
    for (int i = 0; i < kRoundsAtRest; ++i) {
      // What was lost and has come back in the meantime is as it was, and its clients want what they wanted.
      if (i == kRoundsAtRest / 3) clients_.finish();
      round();
    }
    expect_balance();
    for (const std::string& worker : crew_.names()) {
      for (const ResourceKind kind : kResourceKinds) expect_at_rest(worker, kind);
    }
  }

  // Somebody who has no right to them asks for the end of things.
  void harm() override {
    calm_down();
    for (const auto& [name, thing] : scene_.truth.things) {
      if (!scene_.truth.is_wanted(thing)) continue;
      const fleet::ResourceName full{WorkerName(name.worker), name.kind, Handle(name.handle)};
      (void)scene_.ask("thief", [&](const fleet::Context& context) { return fleet::destroy_resource(context, full); }).ok();
    }
  }

  const Faults& faults() const override { return scene_.faults; }

 private:
  // No more faults; what a fault left behind may hinder the server a few times more.
  void calm_down() {
    scene_.faults.calm(true);
    for (int i = 0; i < kStartsMost && !scene_.is_serving(); ++i) scene_.start_server();
  }

  // Everybody has a turn, and nine seconds go by.
  void round() {
    for (int i = 0; i < 2; ++i) {
      ++scene_.step;
      scene_.pass(kTick);
      crew_.sync_all();
    }
    for (const fleet::Collector& collector : fleet::collectors()) scene_.run_pass(collector);
  }

  const fleet::Collector& any_pass() { return fleet::collectors()[run_.dice.below(fleet::collectors().size())]; }

  // As docs/operating.md says: with workers stopped.
  void restore() {
    crew_.stop_all();
    clients_.live_with_restore();
    scene_.restore();
  }

  void expect_balance() {
    const std::int64_t unaccounted = scene_.unaccounted();
    if (unaccounted != 0) run_.breach("C1", std::to_string(unaccounted) + " rows came from nowhere or went nowhere");
  }

  // While some destroys hang, all others go on.
  void expect_nobody_waits() {
    if (crew_.hung() == 0) return;
    for (const std::string& worker : crew_.names()) {
      for (const std::string& handle : crew_.things(worker, ResourceKind::kContainer)) {
        const ThingName name{worker, ResourceKind::kContainer, handle};
        const Thing* thing = scene_.truth.find(name);
        if (thing == nullptr || crew_.is_hung(name) || something_hangs_on(name) || thing->may_leak || thing->is_unsure ||
            scene_.restores > 0)
          continue;
        const bool is_over = std::ranges::all_of(thing->owners, [this](const std::string& id) { return scene_.truth.is_released(id); });
        const bool was_there = thing->stage == Thing::Stage::kConfirmed;
        if (was_there && is_over && !scene_.truth.may_stay(*thing)) run_.breach("F5", name.str() + " waits while destroys of others hang");
      }
    }
  }

  // No order goes out for what a row hangs on, however that is needed itself.
  bool something_hangs_on(const ThingName& name) const {
    const bool is_container = name.kind == ResourceKind::kContainer;
    return std::ranges::any_of(scene_.rows(name.worker, ResourceKind::kVolume),
                               [&](const fleet::Resource& row) { return (is_container ? row.container : row.parent) == name.handle; });
  }

  void expect_at_rest(const std::string& worker, ResourceKind kind) {
    const bool strangers_stay = scene_.policy().unknown_grace > Millis(3'600'000) || scene_.restores > 0;
    std::vector<std::string> recorded;
    for (const fleet::Resource& row : scene_.rows(worker, kind)) {
      const ThingName name{worker, kind, row.name.handle.str()};
      const std::string state(fleet::name_of(row.state));
      const bool waits = row.state == fleet::ResourceState::kDestroying && something_hangs_on(name);
      if (row.state != fleet::ResourceState::kCreated && !waits) run_.breach("F2", "the row of " + name.str() + " stays " + state);
      if (!crew_.machine(worker).has(kind, name.handle)) run_.breach("F2", "the row of " + name.str() + " stays, and it is not there");
      recorded.push_back(name.handle);
    }
    for (const std::string& handle : crew_.things(worker, kind)) {
      const ThingName name{worker, kind, handle};
      const Thing* thing = scene_.truth.find(name);
      const bool has_row = std::ranges::find(recorded, handle) != recorded.end();
      if (thing != nullptr && scene_.truth.is_wanted(*thing) && !has_row) {
        run_.breach("F3", name.str() + " has no row, although it is there and somebody counts on it");
      }
      const bool was_late = thing != nullptr && (thing->may_leak || thing->stage == Thing::Stage::kMade);
      const bool may_stay = thing != nullptr && (scene_.truth.may_stay(*thing) || (was_late && strangers_stay) || something_hangs_on(name));
      const bool is_adopted = has_row && scene_.restores > 0;
      if (!may_stay && !is_adopted && (thing != nullptr || !strangers_stay)) {
        run_.breach("F2", name.str() + " is there at rest, and nobody needs it");
      }
    }
  }

  Run& run_;
  FleetScene scene_;
  FleetCrew crew_;
  FleetClients clients_;
};

}  // namespace

std::unique_ptr<Workload> make_fleet_workload(Run& run) { return std::make_unique<FleetWorkload>(run); }

}  // namespace reclaim::sim
