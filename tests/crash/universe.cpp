#include "crash/universe.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "audit/events.hpp"
#include "crash/pairs.hpp"
#include "ports/statements.hpp"

namespace reclaim::test {
namespace {

using sim::Fault;

// The plain build runs every point. Under a sanitizer, which looks for other things and takes its time, every third will do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kStride = 3;
#else
constexpr int kStride = 1;
#endif

constexpr int kUsualStride = 20;  // of pairs
constexpr int kEventsTold = 1000;

// Until every deadline of these workflows has passed.
struct Rounds {
  int count;
  Millis step;
};
constexpr Rounds kManySmall{6, 1min};
constexpr Rounds kFewLong{4, 2min};

// A new server finds what the dead one left; clients ask again; workers come by.
void recover(Universe& universe, const Workflow& workflow, bool worker_died, const Rounds& rounds) {
  universe.world.see_through(*universe.engine);
  universe.world.take_claim();
  if (worker_died) universe.machine.crash();
  workflow.act(universe);
  for (int i = 0; i < rounds.count; ++i) {
    universe.world.advance(rounds.step);
    universe.settle(2);
  }
}

// Empty if every invariant holds.
std::string breach_of(Universe& universe) {
  if (!universe.breach.empty()) return universe.breach;
  const std::string things = universe.machine.all(kContainer) + " " + universe.machine.all(kVolume);
  std::set<std::string> present;
  for (const std::string& thing : sim::words(things)) present.insert(thing);
  if (present != universe.wanted) return "F2 no-leak: on the machine is: " + things;
  for (const auto& [handle, rows] : {std::pair(universe.world.containers(), 0), std::pair(universe.world.volumes(), 0)}) {
    for (const std::string& row : sim::words(handle)) {
      const std::string name = row.substr(0, row.find(':'));
      if (!universe.wanted.contains(name)) return "F3 confirm-before-forget: a row that is over stays: " + row;
    }
  }
  if (universe.world.unaccounted() != 0) return "C1 conservation: unaccounted " + std::to_string(universe.world.unaccounted());
  return "";
}

void expect_kept(Universe& universe, const std::string& what) {
  const std::string breach = breach_of(universe);
  if (!breach.empty()) ADD_FAILURE() << breach << "\n" << what << "\nThe audit trail:\n" << universe.audit_trail();
}

int calls_of(const Workflow& workflow) {
  Universe universe;
  workflow.arrange(universe);
  Fault fault;
  sim::FaultyDatabase faulty(*universe.engine, fault);
  universe.world.see_through(faulty);
  workflow.act(universe);
  universe.world.see_through(*universe.engine);
  recover(universe, workflow, false, kManySmall);
  expect_kept(universe, std::string(workflow.name) + ", the server is " + in_words(fault));
  return fault.calls;
}

void run_with(const Workflow& workflow, int at, sim::Outcome outcome, bool worker_died) {
  Universe universe;
  workflow.arrange(universe);
  Fault fault{.at = at, .outcome = outcome};
  sim::FaultyDatabase faulty(*universe.engine, fault);
  universe.world.see_through(faulty);
  try {
    workflow.act(universe);
  } catch (const sim::Crash&) {
  }
  EXPECT_TRUE(fault.happened) << workflow.name << " is not deterministic: it has no call " << at << " this time";
  recover(universe, workflow, worker_died, kManySmall);
  expect_kept(universe, std::string(workflow.name) + (worker_died ? ", the worker dies, too" : "") + ", the server is " + in_words(fault));
}

// The server that comes after the first meets a fault, too: while the client asks again, in a round of passes, or in the worker's next
// sync.
Met run_with_two(const Workflow& workflow, Fault first, Fault second) {
  Universe universe;
  workflow.arrange(universe);
  sim::FaultyDatabase through(*universe.engine, first);
  universe.world.see_through(through);
  try {
    workflow.act(universe);
  } catch (const sim::Crash&) {
  }
  universe.world.see_through(*universe.engine);
  universe.world.take_claim();
  const bool worker_died = (first.at + second.at) % 2 == 1;
  if (worker_died) universe.machine.crash();
  sim::FaultyDatabase next(*universe.engine, second);
  universe.world.see_through(next);
  try {
    workflow.act(universe);
    universe.settle(1);
  } catch (const sim::Crash&) {
  }
  recover(universe, workflow, !worker_died, kFewLong);
  expect_kept(universe, std::string(workflow.name) + ", the server is " + in_words(first) + "the next is " + in_words(second));
  return {first.happened, second.happened};
}

}  // namespace

std::string Universe::audit_trail() const {
  std::string text;
  for (const audit::RecordedEvent& recorded : must(audit::read_events(*engine, 0, kEventsTold))) {
    text += "  " + sim::in_words(recorded) + "\n";
  }
  return text;
}

void Universe::open_file() {
  engine = must(database_sqlite::open_sqlite({.path = *disk / "fleet.db", .readers = 0, .patience = 50ms}));
  world.see_through(*engine);
}

void Universe::move_to_disk() {
  disk = std::make_unique<testing_support::TempDirectory>(testing_support::TempDirectory::in_memory());
  open_file();
  must(engine->run(sql::meta_create, {std::string("lineage"), std::string(FleetWorld::kLineage)}));
  world.take_claim();
  world.enroll("w1");
}

void Universe::back_up() {
  engine.reset();
  std::filesystem::copy_file(*disk / "fleet.db", *disk / "backup.db");
  open_file();
}

void Universe::restore() {
  engine.reset();
  std::filesystem::copy_file(*disk / "backup.db", *disk / "fleet.db", std::filesystem::copy_options::overwrite_existing);
  open_file();
  world.take_claim();
}

void crash_at_every_step(const char* plane, const std::vector<Workflow>& workflows) {
  int points = 0;
  int runs = 0;
  for (const Workflow& workflow : workflows) {
    const int calls = calls_of(workflow);
    EXPECT_GT(calls, 0) << workflow.name;
    points += calls;
    for (int at = points % kStride; at < calls; at += kStride) {
      for (const sim::Outcome outcome : sim::kOutcomes) {
        for (const bool worker_died : {false, true}) {
          ++runs;
          run_with(workflow, at, outcome, worker_died);
          if (testing::Test::HasFailure()) return;
        }
      }
    }
  }
  std::printf("crash points: %s: %zu workflows, %d calls, %d runs\n", plane, workflows.size(), points, runs);
}

void crash_twice(const char* plane, const std::vector<Workflow>& workflows) {
  const int stride = stride_of(kUsualStride);
  int pairs = 0;
  for (const Workflow& workflow : workflows) {
    pairs += crash_in_pairs(stride, [&](const Fault& first, const Fault& second) { return run_with_two(workflow, first, second); });
  }
  std::printf("crash points: %s, pairs: %d, every %d of them, ends in turn\n", plane, pairs, stride);
}

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

}  // namespace reclaim::test
