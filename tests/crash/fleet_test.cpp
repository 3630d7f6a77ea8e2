// Crash at every step, rung 1: every workflow of the fleet is stopped before, stopped after, or robbed of the answer of each of its
// database calls in turn. Then a new server recovers, the client asks again, and the invariants must hold.
//
// Fault model: the server's process dies at any call, or any one answer is lost; with the dead server its worker's process may die too.
// Never injected: a database that loses what it confirmed.
//
// How a breach shows. The world knows what is wanted: the resources of live owners. F1: the machine watches each destroy. F2: at the
// end nothing else is on the machine. F3: unknown strangers are never collected here (endless grace), so a row that was forgotten while
// its resource lived leaves a leak that nobody cleans up. C1: the ledger balances.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "adapters/database_sqlite/sqlite.hpp"
#include "fleet/plan.hpp"
#include "ports/statements.hpp"
#include "sim/crash.hpp"
#include "sim/machine.hpp"
#include "sim/teller.hpp"
#include "support/manual_clock.hpp"

namespace reclaim::test {
namespace {

using sim::Fault;
using sim::FleetWorld;
using sim::Machine;
using sim::must;
using namespace std::chrono_literals;

constexpr auto kContainer = ResourceKind::kContainer;
constexpr auto kVolume = ResourceKind::kVolume;

// One universe: a control plane, a machine, and what must be there in the end.
class Universe {
 public:
  Universe() {
    world.policy().unknown_grace = 24h * 365;
    world.enroll("w1");
    machine.on_destroy([this](ResourceKind, const std::string& handle) {
      if (wanted.contains(handle)) breach = "F1: " + handle + " was destroyed although somebody needs it";
    });
  }

  // A container that exists, of a live owner.
  void live(const std::string& handle, const std::string& owner) {
    world.add_container(handle, owner);
    machine.put(kContainer, handle);
    wanted.insert(handle);
  }
  void volume(const std::string& handle, const FleetWorld::Links& links) {
    world.add_volume(handle, links);
    machine.put(kVolume, handle);
    wanted.insert(handle);
  }
  void unwanted(const std::string& handles) {
    for (const std::string& handle : sim::words(handles)) wanted.erase(handle);
  }
  void settle(int turns = 3) {
    for (int i = 0; i < turns; ++i) {
      world.try_to_collect();
      machine.turn();
    }
  }

  std::unique_ptr<ports::Database> engine = must(database_sqlite::open_sqlite({.patience = 50ms}));
  FleetWorld world{*engine};
  Machine machine{world};
  std::set<std::string> wanted;
  std::string breach;
  CountingRandom random;
  std::string plan;  // its id
};

struct Workflow {
  const char* name;
  std::function<void(Universe&)> arrange;
  std::function<void(Universe&)> act;  // what is crashed; asked again after recovery
};

// A new server finds what the dead one left; clients ask again; workers come by.
void recover(Universe& universe, const Workflow& workflow, bool worker_died) {
  universe.world.see_through(*universe.engine);
  universe.world.take_claim();
  if (worker_died) universe.machine.crash();
  workflow.act(universe);
  for (int i = 0; i < 6; ++i) {
    universe.world.advance(1min);
    universe.settle(2);
  }
}

std::string breach_of(Universe& universe) {
  if (!universe.breach.empty()) return universe.breach;
  const std::string things = universe.machine.all(kContainer) + " " + universe.machine.all(kVolume);
  std::set<std::string> present;
  for (const std::string& thing : sim::words(things)) present.insert(thing);
  if (present != universe.wanted) return "F2: on the machine: " + things;
  for (const auto& [handle, rows] : {std::pair(universe.world.containers(), 0), std::pair(universe.world.volumes(), 0)}) {
    for (const std::string& row : sim::words(handle)) {
      const std::string name = row.substr(0, row.find(':'));
      if (!universe.wanted.contains(name)) return "F3: a row that is over stays: " + row;
    }
  }
  if (universe.world.unaccounted() != 0) return "C1: unaccounted " + std::to_string(universe.world.unaccounted());
  return "";
}

int calls_of(const Workflow& workflow) {
  Universe universe;
  workflow.arrange(universe);
  Fault fault;
  sim::FaultyDatabase faulty(*universe.engine, fault);
  universe.world.see_through(faulty);
  workflow.act(universe);
  universe.world.see_through(*universe.engine);
  recover(universe, workflow, false);
  EXPECT_EQ(breach_of(universe), "") << workflow.name << " without any crash";
  return fault.calls;
}

std::string run_with(const Workflow& workflow, int at, sim::Outcome outcome, bool worker_died) {
  Universe universe;
  workflow.arrange(universe);
  Fault fault{.at = at, .outcome = outcome};
  sim::FaultyDatabase faulty(*universe.engine, fault);
  universe.world.see_through(faulty);
  try {
    workflow.act(universe);
  } catch (const sim::Crash&) {
  }
  if (!fault.happened) return "the fault did not happen: the workflow is not deterministic";
  recover(universe, workflow, worker_died);
  return breach_of(universe);
}

void nothing(Universe&) {}

// A build with a container, a tree of volumes and a container of another build.
void two_builds(Universe& universe) {
  universe.world.own("build");
  universe.world.own("other");
  universe.live("c", "build");
  universe.volume("root", {.owner = "build"});
  universe.volume("leaf", {.owner = "build", .parent = "root"});
  universe.volume("scratch", {.container = "c"});
  universe.live("d", "other");
  universe.settle();
}

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

TEST(CrashAtEveryStep, OfEveryFleetWorkflowKeepsTheInvariants) {
  int points = 0;
  int runs = 0;
  const std::vector<Workflow> all = workflows();
  for (const Workflow& workflow : all) {
    const int calls = calls_of(workflow);
    EXPECT_GT(calls, 0) << workflow.name;
    points += calls;
    for (int at = 0; at < calls; ++at) {
      for (const sim::Outcome outcome : sim::kOutcomes) {
        for (const bool worker_died : {false, true}) {
          ++runs;
          const std::string breach = run_with(workflow, at, outcome, worker_died);
          EXPECT_EQ(breach, "") << workflow.name << ", call " << at << ", outcome " << static_cast<int>(outcome)
                                << (worker_died ? ", the worker died too" : "");
        }
      }
    }
  }
  std::printf("crash points: %zu workflows, %d calls, %d runs\n", all.size(), points, runs);
}

}  // namespace
}  // namespace reclaim::test
