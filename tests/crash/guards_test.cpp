// Every workflow of the guards: what is held, what the operator lifts, what comes back.
#include <gtest/gtest.h>

#include "crash/universe.hpp"
#include "fleet/lineage.hpp"

namespace reclaim::test {
namespace {

using fleet::Accept;
using fleet::Existing;

std::function<void(Universe&)> accepting(Accept what, std::optional<Existing> strangers = std::nullopt) {
  return [what, strangers](Universe& universe) {
    (void)fleet::accept_worker(universe.world.context(), WorkerName("w1"), what, strangers).ok();
  };
}

// A machine that already has something when it is enrolled.
void found(Universe& universe, Existing existing) {
  universe.world.enroll("w1", existing);
  universe.machine.put(kContainer, "old");
  universe.machine.put(kVolume, "disk");
}

void found_and_held(Universe& universe) {
  found(universe, Existing::kHold);
  universe.settle();
}

void emptied(Universe& universe) {
  universe.world.own("build");
  for (int i = 0; i < 25; ++i) universe.live("c" + std::to_string(i), "build");
  universe.settle();
  for (int i = 0; i < 25; ++i) universe.machine.take(kContainer, "c" + std::to_string(i));
  universe.wanted.clear();
  universe.settle();
}

void wiped_and_held(Universe& universe) {
  two_builds(universe);
  universe.machine.wipe();
  universe.wanted.clear();
  universe.settle();
}

// The backup knows nothing of `after`, and has marked `reused`, which is somebody else's by now.
void restored(Universe& universe) {
  universe.move_to_disk();
  universe.world.own("build");
  universe.live("before", "build");
  universe.world.add_container("reused", "");
  universe.machine.put(kContainer, "reused");
  universe.world.collect();
  universe.back_up();
  universe.settle();
  universe.live("reused", "build");
  universe.live("after", "build");
  universe.settle();
  universe.restore();
  universe.settle();
}

void accept_lineage(Universe& universe) {
  (void)fleet::accept_lineage(universe.world.context(), make_uuid(universe.random), Existing::kAdopt).ok();
}

void turn(Universe& universe) { universe.machine.turn(); }

std::vector<Workflow> of_what_is_found() {
  return {
      {"first contact that is held",
       [](Universe& universe) {
         found(universe, Existing::kHold);
         universe.wanted = {"old", "disk"};
       },
       turn},
      {"first contact that adopts",
       [](Universe& universe) {
         found(universe, Existing::kAdopt);
         universe.wanted = {"old", "disk"};
       },
       turn},
      {"what was held is adopted",
       [](Universe& universe) {
         found_and_held(universe);
         universe.wanted = {"old", "disk"};
       },
       accepting(Accept::kExisting, Existing::kAdopt)},
      {"what was held is to go",
       [](Universe& universe) {
         found_and_held(universe);
         universe.world.policy().unknown_grace = 1min;
       },
       accepting(Accept::kExisting, Existing::kDestroy)},
      {"a brake is lifted", emptied, accepting(Accept::kBrake)},
      {"the sync after a lifted brake",
       [](Universe& universe) {
         emptied(universe);
         accepting(Accept::kBrake)(universe);
       },
       turn},
  };
}

std::vector<Workflow> of_incarnations() {
  return {
      {"a wiped machine comes by and is held",
       [](Universe& universe) {
         two_builds(universe);
         universe.machine.wipe();
         universe.wanted.clear();
       },
       [](Universe& universe) {
         turn(universe);
         accepting(Accept::kIncarnation)(universe);
       }},
      {"a new incarnation is accepted", wiped_and_held, accepting(Accept::kIncarnation)},
      {"the first sync of an accepted incarnation",
       [](Universe& universe) {
         wiped_and_held(universe);
         accepting(Accept::kIncarnation)(universe);
       },
       turn},
  };
}

std::vector<Workflow> of_what_was_lost() {
  return {
      {"what was lost comes back",
       [](Universe& universe) {
         two_builds(universe);
         universe.machine.take(kContainer, "c");
         universe.machine.take(kVolume, "scratch");
         universe.settle();
         universe.world.advance(6min);
         universe.settle();
         universe.machine.put(kContainer, "c");
         universe.machine.put(kVolume, "scratch");
       },
       turn},
      {"what was lost comes back unknown, and a volume that stayed was made from it",
       [](Universe& universe) {
         two_builds(universe);
         universe.world.own("brief");
         universe.volume("base", {.owner = "brief"});
         universe.volume("layer", {.owner = "other", .parent = "base"});
         universe.settle();
         universe.machine.take(kVolume, "base");
         universe.settle();
         universe.world.advance(6min);
         universe.settle();
         universe.world.release("brief");
         universe.machine.put(kVolume, "base");
       },
       turn},
      {"missing rows are remembered as they are lost",
       [](Universe& universe) {
         two_builds(universe);
         universe.machine.take(kContainer, "c");
         universe.machine.take(kVolume, "scratch");
         universe.unwanted("c scratch");
         universe.settle();
         universe.world.advance(6min);
         universe.machine.turn();
       },
       [](Universe& universe) { universe.world.try_to_collect(); }},
      {"a lost lineage is accepted", restored, accept_lineage},
      {"the first syncs of a new lineage",
       [](Universe& universe) {
         restored(universe);
         accept_lineage(universe);
       },
       [](Universe& universe) { universe.settle(3); }},
  };
}

std::vector<Workflow> workflows() {
  std::vector<Workflow> all;
  for (const auto& some : {of_what_is_found(), of_incarnations(), of_what_was_lost()}) all.insert(all.end(), some.begin(), some.end());
  return all;
}

TEST(CrashAtEveryStep, OfEveryGuardKeepsTheInvariants) { crash_at_every_step("guards", workflows()); }

TEST(CrashTwice, InEveryGuardKeepsTheInvariants) { crash_twice("guards", workflows()); }

}  // namespace
}  // namespace reclaim::test
