// The real worker's core against the real fleet, while lists come back long after they were begun: of either kind, together or alone.
#include <array>
#include <map>
#include <memory>
#include <string>

#include "contract/fleet/engines.hpp"
#include "sim/machine.hpp"

namespace reclaim::test {
namespace {

using sim::FleetWorld;
using namespace std::chrono_literals;

constexpr int kSteps = 80;
constexpr std::array kHandles = {"a", "b", "c", "d", "e"};

class LateLists : public testing::TestWithParam<FleetEngine> {};

// No patience at all: what is wrongly taken for missing or unknown is acted on by the next pass.
fleet::Policy without_graces() {
  fleet::Policy policy;
  policy.unknown_grace = policy.missing_grace = 0s;
  return policy;
}

// A machine on which others make containers and volumes, and give them up, under handles that come again.
class Busy {
 public:
  Busy(FleetWorld& world, unsigned seed) : world_(world), prefix_("s" + std::to_string(seed) + "-"), state_(seed) {
    machine_.on_destroy([this](ResourceKind kind, const std::string& handle) {
      if (owners_[kind].contains(handle)) breach = std::string(reclaim::name_of(kind)) + " " + handle + " was destroyed";
    });
  }

  void step() {
    const ResourceKind kind = draw(2) == 0 ? ResourceKind::kContainer : ResourceKind::kVolume;
    const std::string handle = kHandles[draw(kHandles.size())];
    if (draw(2) == 0) make(kind, handle);
    if (draw(3) == 0) give_up(kind, handle);
    if (draw(4) == 0) machine_.hold_lists(kind);
    if (draw(5) == 0) machine_.release_lists();
    if (draw(25) == 0) machine_.crash();
    world_.advance(1s);
    if (draw(2) == 0) world_.collect();
    machine_.turn();
    look_for_doubts();
  }

  void end() {
    machine_.release_lists();
    for (int i = 0; i < 6; ++i) {
      world_.advance(1min);
      world_.collect();
      machine_.turn();
    }
  }

  std::string wanted(ResourceKind kind, const std::string& suffix = "") {
    std::string text;
    for (const auto& [handle, owner] : owners_[kind]) text += (text.empty() ? "" : " ") + handle + suffix;
    return text;
  }
  std::string present(ResourceKind kind) const { return machine_.all(kind); }

  std::string breach;

 private:
  unsigned draw(std::size_t below) { return (state_ = state_ * 1664525U + 1013904223U) / 65536U % static_cast<unsigned>(below); }

  // What is needed is always there; whoever takes it for missing judges by a look from before it came.
  void look_for_doubts() {
    for (const ResourceKind kind : kResourceKinds) {
      const std::string rows = rows_of(kind);
      for (const auto& [handle, owner] : owners_[kind]) {
        if (rows.find(" " + handle + ":created ") == std::string::npos) breach = handle + " is in doubt:" + rows;
      }
    }
  }
  std::string rows_of(ResourceKind kind) const {
    return " " + (kind == ResourceKind::kContainer ? world_.containers() : world_.volumes()) + " ";
  }

  // Record, then make. A handle that is still known is not free.
  void make(ResourceKind kind, const std::string& handle) {
    if (rows_of(kind).find(" " + handle + ":") != std::string::npos) return;
    const std::string owner = prefix_ + std::to_string(++made_);
    world_.own(owner);
    kind == ResourceKind::kContainer ? world_.add_container(handle, owner) : world_.add_volume(handle, {.owner = owner});
    machine_.put(kind, handle);
    owners_[kind][handle] = owner;
  }

  void give_up(ResourceKind kind, const std::string& handle) {
    if (auto owned = owners_[kind].extract(handle)) world_.release(owned.mapped());
  }

  FleetWorld& world_;
  const std::string prefix_;
  unsigned state_;
  int made_ = 0;
  wire::PerKind<std::map<std::string, std::string>> owners_;  // of what somebody needs
  sim::Machine machine_{world_};
};

TEST_P(LateLists, KillNothingLoseNothingAndLeaveNothingBehind) {
  const unsigned seeds = GetParam() == FleetEngine::kSqlite ? 40 : 3;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    const std::unique_ptr<ports::Database> database = open_fresh(GetParam());
    FleetWorld world{*database, without_graces()};
    world.enroll("w1");
    Busy busy(world, seed);
    for (int i = 0; i < kSteps; ++i) busy.step();
    busy.end();
    EXPECT_EQ(busy.breach, "") << "seed " << seed;
    EXPECT_EQ(busy.present(ResourceKind::kContainer), busy.wanted(ResourceKind::kContainer)) << "seed " << seed;
    EXPECT_EQ(busy.present(ResourceKind::kVolume), busy.wanted(ResourceKind::kVolume)) << "seed " << seed;
    EXPECT_EQ(world.containers(), busy.wanted(ResourceKind::kContainer, ":created")) << "seed " << seed;
    EXPECT_EQ(world.volumes(), busy.wanted(ResourceKind::kVolume, ":created")) << "seed " << seed;
    EXPECT_EQ(world.unaccounted(), 0) << "seed " << seed;
  }
}

ON_BOTH_ENGINES(LateLists);

}  // namespace
}  // namespace reclaim::test
