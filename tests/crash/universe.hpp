// Crash at every step, rung 1: every workflow is stopped before, stopped after, or robbed of the answer of each of its database calls in
// turn. Then a new server recovers, the client asks again, and the invariants must hold.
//
// Fault model: the server's process dies at any call, or any one answer is lost; with the dead server its worker's process may die too.
// Never injected: a database that loses what it confirmed.
//
// How a breach shows. The world knows what is wanted: the resources of live owners. F1: the machine watches each destroy. F2: at the
// end nothing else is on the machine. F3: unknown strangers are never collected here (endless grace), so a row that was forgotten while
// its resource lived leaves a leak that nobody cleans up. C1: the ledger balances.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/database_sqlite/sqlite.hpp"
#include "sim/crash.hpp"
#include "sim/machine.hpp"
#include "sim/memory_database.hpp"
#include "sim/teller.hpp"
#include "support/manual_clock.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {

using sim::FleetWorld;
using sim::Machine;
using sim::must;
using namespace std::chrono_literals;

inline constexpr auto kContainer = ResourceKind::kContainer;
inline constexpr auto kVolume = ResourceKind::kVolume;

// One universe: a control plane, a machine, and what must be there in the end.
class Universe {
 public:
  Universe() {
    world.policy().unknown_grace = 24h * 365;
    world.enroll("w1");
    machine.on_destroy([this](ResourceKind, const std::string& handle) {
      if (wanted.contains(handle)) breach = "F1 no-live-kill: " + handle + " was destroyed although somebody needs it";
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

  // A universe whose database is a file, so that it can be restored from a backup.
  void move_to_disk();
  void back_up();
  void restore();

  std::unique_ptr<testing_support::TempDirectory> disk;
  std::unique_ptr<ports::Database> engine = sim::memory_database();
  FleetWorld world{*engine};
  Machine machine{world};
  sim::Teller teller{world, "w2"};  // of a second worker, once it is enrolled
  // All that was changed and decided, by whom and why.
  std::string audit_trail() const;

  std::set<std::string> wanted;
  std::string breach;
  CountingRandom random;
  std::string plan;  // its id

 private:
  void open_file();
};

struct Workflow {
  const char* name;
  std::function<void(Universe&)> arrange;
  std::function<void(Universe&)> act;  // what is crashed; asked again after recovery
};

// Every call, every outcome, with and without the worker's death. Prints how many.
void crash_at_every_step(const char* plane, const std::vector<Workflow>& workflows);
// And who comes after the first stops too (crash/pairs.hpp).
void crash_twice(const char* plane, const std::vector<Workflow>& workflows);

inline void nothing(Universe&) {}

// A build with a container, a tree of volumes and a container of another build.
void two_builds(Universe& universe);

}  // namespace reclaim::test
