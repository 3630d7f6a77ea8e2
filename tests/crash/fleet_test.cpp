// Every workflow of the fleet: owners, resources, collectors, plans, workers' lives, syncs.
#include <gtest/gtest.h>

#include "crash/universe.hpp"
#include "fleet/plan.hpp"

namespace reclaim::test {
namespace {

void released(Universe& universe) {
  two_builds(universe);
  universe.world.release("build");
  universe.unwanted("c root leaf scratch");
}

// Acts.
template <class Function>
auto use(Function function) {
  return [function](Universe& universe) { (void)function(universe.world.context()).ok(); };
}
auto pass(const char* name) {
  return [name](Universe& universe) {
    for (const fleet::Collector& collector : fleet::collectors()) {
      if (collector.name == name) (void)collector.run(universe.world.context("pass"), universe.world.claim()).ok();
    }
  };
}
void turn(Universe& universe) { universe.machine.turn(); }
void turns(Universe& universe) { universe.settle(4); }

std::vector<Workflow> creation() {
  return {
      {"enrol a worker", nothing, use([](const fleet::Context& context) {
         return fleet::put_worker(context,
                                  {.name = WorkerName("w2"), .keys = std::vector<std::string>{"ssh-ed25519 " + std::string(68, 'A')}});
       })},
      {"register an owner", nothing,
       use([](const fleet::Context& context) { return fleet::put_owner(context, {.id = OwnerId("build"), .kind = "build"}); })},
      {"renew an owner",
       [](Universe& universe) {
         universe.world.own("build", 10min);
         universe.live("c", "build");
         universe.settle();
       },
       use([](const fleet::Context& context) { return fleet::put_owner(context, {.id = OwnerId("build"), .kind = "build", .ttl = 24h}); })},
      {"create a container: record, make, say so",
       [](Universe& universe) {
         universe.world.own("build");
         universe.wanted.insert("new");
       },
       [](Universe& universe) {
         const fleet::ResourceName name = FleetWorld::container("new");
         const auto recorded = fleet::register_resource(universe.world.context(), {.name = name, .owner = OwnerId("build")});
         const bool exists = recorded.ok() || recorded.error().kind == Error::Kind::kConflict;
         if (!exists) return;
         universe.machine.put(kContainer, "new");
         (void)fleet::resource_created(universe.world.context(), name).ok();
       }},
      {"create a volume that fails", two_builds,
       [](Universe& universe) {
         const fleet::ResourceName name = FleetWorld::volume("broken");
         const auto recorded =
             fleet::register_resource(universe.world.context(), {.name = name, .owner = OwnerId("other"), .parent = Handle("root")});
         if (!recorded.ok()) return;
         universe.machine.put(kVolume, "broken");
         (void)fleet::resource_failed(universe.world.context(), name).ok();
       }},
  };
}

std::vector<Workflow> changes_of_mind() {
  const auto c = FleetWorld::container("c");
  return {
      {"release an owner",
       [](Universe& universe) {
         two_builds(universe);
         universe.unwanted("c root leaf scratch");
       },
       use([](const fleet::Context& context) { return fleet::release_owner(context, OwnerId("build"), Millis(0)); })},
      {"delete an owner", [](Universe& universe) { universe.world.own("done"); },
       use([](const fleet::Context& context) { return fleet::delete_owner(context, OwnerId("done")); })},
      {"destroy by name",
       [](Universe& universe) {
         two_builds(universe);
         universe.unwanted("c scratch");
       },
       [](Universe& universe) {
         (void)fleet::destroy_resource(universe.world.context(), FleetWorld::volume("scratch")).ok();
         (void)fleet::destroy_resource(universe.world.context(), FleetWorld::container("c")).ok();
       }},
      {"pin before the owner goes", two_builds,
       [c](Universe& universe) {
         universe.unwanted("root leaf");
         (void)fleet::pin_resource(universe.world.context(), c, "debugging", std::nullopt).ok();
         const auto row = fleet::find_resource(universe.world.context(), c);
         if (row.ok() && row.value().pinned) (void)fleet::release_owner(universe.world.context(), OwnerId("build"), Millis(0)).ok();
       }},
      {"unpin",
       [c](Universe& universe) {
         two_builds(universe);
         must(fleet::pin_resource(universe.world.context(), c, "debugging", std::nullopt));
         universe.world.release("build");
         universe.unwanted("c root leaf scratch");
       },
       use([c](const fleet::Context& context) { return fleet::unpin_resource(context, c); })},
      {"touch", two_builds, use([c](const fleet::Context& context) { return fleet::touch_resource(context, c); })},
      {"give to another owner", two_builds,
       [c](Universe& universe) {
         universe.unwanted("root leaf");
         (void)fleet::own_resource(universe.world.context(), c, OwnerId("other")).ok();
         const auto row = fleet::find_resource(universe.world.context(), c);
         if (row.ok() && row.value().owner == "other")
           (void)fleet::release_owner(universe.world.context(), OwnerId("build"), Millis(0)).ok();
       }},
  };
}

std::vector<Workflow> collection() {
  const auto c = FleetWorld::container("c");
  return {
      {"release-expired-owners",
       [](Universe& universe) {
         universe.world.own("session", 30s);
         universe.live("s", "session");
         universe.settle();
         universe.world.advance(1min);
         universe.unwanted("s");
       },
       pass("release-expired-owners")},
      {"mark-orphans over a tree", released, pass("mark-orphans")},
      {"apply a plan over a tree",
       [](Universe& universe) {
         released(universe);
         universe.plan = must(fleet::make_plan(universe.world.context(), universe.random, {})).id;
       },
       [](Universe& universe) { (void)fleet::apply_plan(universe.world.context(), universe.plan).ok(); }},
      {"apply a plan of which much was rescued",
       [c](Universe& universe) {
         two_builds(universe);
         universe.world.release("build");
         universe.unwanted("root leaf");
         universe.plan = must(fleet::make_plan(universe.world.context(), universe.random, {})).id;
         must(fleet::pin_resource(universe.world.context(), c, "debugging", std::nullopt));
       },
       [](Universe& universe) { (void)fleet::apply_plan(universe.world.context(), universe.plan).ok(); }},
      {"plan", released, [](Universe& universe) { (void)fleet::make_plan(universe.world.context(), universe.random, {}).ok(); }},
      {"mark-failed",
       [](Universe& universe) {
         two_builds(universe);
         must(fleet::register_resource(universe.world.context(), {.name = FleetWorld::container("f"), .owner = OwnerId("other")}));
         must(fleet::resource_failed(universe.world.context(), FleetWorld::container("f")));
         universe.machine.put(kContainer, "f");
       },
       pass("mark-failed")},
      {"creating-deadline",
       [](Universe& universe) {
         two_builds(universe);
         universe.world.policy().creating_timeout = 1min;
         must(fleet::register_resource(universe.world.context(), {.name = FleetWorld::container("f"), .owner = OwnerId("other")}));
         universe.machine.put(kContainer, "f");
         universe.world.advance(2min);
       },
       pass("creating-deadline")},
  };
}

std::vector<Workflow> loss_and_strangers() {
  return {
      {"missing",
       [](Universe& universe) {
         universe.world.own("build");
         universe.world.add_container("vanished", "build");
         universe.settle();
         universe.world.advance(10min);
       },
       pass("missing")},
      {"unknown",
       [](Universe& universe) {
         universe.settle();
         universe.machine.put(kContainer, "stranger");
         universe.settle();
         universe.world.policy().unknown_grace = 1min;
         universe.world.advance(2min);
       },
       pass("unknown")},
  };
}

std::vector<Workflow> workers() {
  return {
      {"worker-lifecycle: stalled and back",
       [](Universe& universe) {
         two_builds(universe);
         universe.world.advance(5min);
       },
       pass("worker-lifecycle")},
      {"worker-lifecycle: landing",
       [](Universe& universe) {
         two_builds(universe);
         must(fleet::land_worker(universe.world.context(), WorkerName("w1")));
       },
       pass("worker-lifecycle")},
      {"prune a worker",
       [](Universe& universe) {
         universe.world.enroll("w3");
         must(fleet::land_worker(universe.world.context(), WorkerName("w3")));
       },
       use([](const fleet::Context& context) { return fleet::prune_worker(context, WorkerName("w3")); })},
      {"retire a worker", [](Universe& universe) { universe.world.enroll("w3"); },
       use([](const fleet::Context& context) { return fleet::retire_worker(context, WorkerName("w3")); })},
      {"land a worker", two_builds, use([](const fleet::Context& context) { return fleet::land_worker(context, WorkerName("w1")); })},
      {"heartbeat", two_builds, use([](const fleet::Context& context) { return fleet::heartbeat(context, WorkerName("w1")); })},
      {"freeze and unfreeze", two_builds,
       [](Universe& universe) {
         (void)fleet::freeze_fleet(universe.world.context(), "a look").ok();
         (void)fleet::freeze_worker(universe.world.context(), WorkerName("w1"), "a look").ok();
         (void)fleet::unfreeze_worker(universe.world.context(), WorkerName("w1")).ok();
         (void)fleet::unfreeze_fleet(universe.world.context()).ok();
       }},
  };
}

std::vector<Workflow> syncs() {
  return {
      {"first sync of a session",
       [](Universe& universe) {
         universe.world.own("build");
         universe.live("c", "build");
       },
       turn},
      {"sync with nothing new", two_builds, turn},
      {"sync that brings orders",
       [](Universe& universe) {
         released(universe);
         universe.world.collect();
       },
       turn},
      {"sync with results, and the next orders",
       [](Universe& universe) {
         released(universe);
         universe.world.collect();
         universe.machine.turn();
       },
       turn},
      {"everything from release to gone", released, turns},
      {"a worker that restarts in the middle",
       [](Universe& universe) {
         released(universe);
         universe.world.collect();
         universe.machine.turn();
         universe.machine.crash();
       },
       turns},
      {"things that vanish behind everybody's back",
       [](Universe& universe) {
         universe.world.own("build");
         universe.world.add_container("vanished", "build");
         universe.settle();
       },
       turn},
  };
}

std::vector<Workflow> workflows() {
  std::vector<Workflow> all;
  for (const auto& part : {creation, changes_of_mind, collection, loss_and_strangers, workers, syncs}) {
    std::ranges::move(part(), std::back_inserter(all));
  }
  return all;
}

TEST(CrashAtEveryStep, OfEveryFleetWorkflowKeepsTheInvariants) { crash_at_every_step("fleet", workflows()); }

TEST(CrashTwice, InEveryFleetWorkflowKeepsTheInvariants) { crash_twice("fleet", workflows()); }

}  // namespace
}  // namespace reclaim::test
