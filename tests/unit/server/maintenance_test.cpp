#include "server/maintenance.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "agents/census.hpp"
#include "archive/tapes.hpp"
#include "support/manual_clock.hpp"

namespace reclaim::server {
namespace {

struct Process {
  explicit Process(std::vector<std::string> passes = {}) : maintenance(*database, store, clock, {.passes = std::move(passes)}) {}

  std::vector<std::string> agents() {
    std::vector<std::string> names;
    for (const agents::Listed& agent : agents::list_agents(store).value()) names.push_back(agent.id.key());
    return names;
  }
  // As a collector does, seen from the one who is collected.
  void collect(const std::string& key) {
    for (const char* kind : {"beat", "agent"}) {
      const ports::ObjectName name{kind, key};
      store.remove(name, store.read(name).value().version).value();
    }
  }

  std::unique_ptr<ports::Database> database = database_sqlite::open_sqlite({}).value();
  objects_memory::MemoryStore store;
  test::ManualClock clock;
  Maintenance maintenance;
};

TEST(Maintenance, RunsWhatIsAskedForAndSaysWhatThereIs) {
  Process process;
  archive::add_tape({*process.database, {1}, "test"},
                    {.vid = archive::Vid("V1"), .pool = archive::PoolName("p"), .library = archive::LibraryName("l")})
      .value();
  archive::ask_tape_state({*process.database, {1}, "test"}, archive::Vid("V1"), archive::TapeState::kBroken, "torn").value();
  const std::vector<PassRun> all = process.maintenance.run_now({}, "token:ops").value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].pass, "agents");
  EXPECT_EQ(all[1].pass, "cleanup");
  EXPECT_EQ(all[1].count("finished"), 1u);
  const auto unknown = process.maintenance.run_now({"cleanup", "eat"}, "token:ops");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().field, "passes");
  EXPECT_NE(unknown.error().message.find("agents, cleanup"), std::string::npos);
}

TEST(Maintenance, MakesOnlyThePassesThatAreWanted) {
  Process process({"cleanup"});
  EXPECT_EQ(process.maintenance.names(), std::vector<std::string>{"cleanup"});
  process.maintenance.add("reports", [](const Maintenance::Contexts&, archive::Hand&, agents::Estate&) { return PassRun{}; });
  EXPECT_EQ(process.maintenance.names(), std::vector<std::string>{"cleanup"});
  EXPECT_EQ(process.maintenance.watched().self, std::nullopt);
}

TEST(Maintenance, OfAPassThatWasCollectedBeginsAnew) {
  Process process({"cleanup"});
  process.maintenance.run("cleanup", "pass:cleanup").value();
  ASSERT_EQ(process.agents(), std::vector<std::string>{"server-cleanup@1"});
  process.collect("server-cleanup@1");
  EXPECT_FALSE(process.maintenance.beat().ok());
  EXPECT_EQ(process.maintenance.run("cleanup", "pass:cleanup").value().late, (agents::LateWrites{{"agent", 1}}));
  EXPECT_EQ(process.maintenance.run("cleanup", "pass:cleanup").value().late, agents::LateWrites()) << "told once";
  EXPECT_EQ(process.agents(), std::vector<std::string>{"server-cleanup@2"});
  EXPECT_TRUE(process.maintenance.beat().ok());
}

TEST(Maintenance, TellsOfLateWritesWhenARunIsDoneAtLast) {
  Process process({"reports"});
  int runs = 0;
  process.maintenance.add("reports", [&](const Maintenance::Contexts&, archive::Hand& hand, agents::Estate&) -> Result<PassRun> {
    if (++runs == 1) {
      process.collect(hand.id().key());
      EXPECT_FALSE(hand.store().remove({"segment", "1-1"}, {7}).ok());
      TRY(hand.hold({}));
    }
    if (runs == 2) return unavailable("the store is away");
    return PassRun{};
  });
  EXPECT_EQ(process.maintenance.run("reports", "pass:reports").error().kind, Error::Kind::kFenced);
  EXPECT_EQ(process.maintenance.run("reports", "pass:reports").error().kind, Error::Kind::kUnavailable);
  EXPECT_EQ(process.maintenance.run("reports", "pass:reports").value().late, (agents::LateWrites{{"agent", 1}, {"segment", 1}}));
}

TEST(Maintenance, IsObservedWhoeverAsksForARun) {
  Process process({"cleanup"});
  std::vector<std::string> seen;
  process.maintenance.set_observer(
      [&](const std::string& pass, const Result<PassRun>& run, Millis) { seen.push_back(pass + (run.ok() ? " done" : " not")); });
  process.maintenance.run("cleanup", "pass:cleanup").value();
  process.maintenance.run_now({"cleanup"}, "token:ops").value();
  EXPECT_EQ(seen, (std::vector<std::string>{"cleanup done", "cleanup done"}));
}

TEST(Maintenance, GivesAnAgentUpWhereAWriteMayStillArrive) {
  Process process({"reports"});
  std::vector<std::uint64_t> epochs;
  process.maintenance.add("reports", [&](const Maintenance::Contexts&, archive::Hand& hand, agents::Estate&) {
    epochs.push_back(hand.id().epoch);
    return PassRun{.pass = {}, .gives_up = epochs.size() == 1};
  });
  for (int run = 0; run < 3; ++run) EXPECT_TRUE(process.maintenance.run("reports", "pass:reports").ok());
  EXPECT_EQ(epochs, (std::vector<std::uint64_t>{1, 2, 2})) << "the first is left to a collector";
  EXPECT_EQ(process.agents().size(), 2u);
}

TEST(Maintenance, LeavesNobodyBehindWhenItStops) {
  Process process;
  process.maintenance.run_now({}, "token:ops").value();
  EXPECT_EQ(process.agents().size(), 2u);
  EXPECT_EQ(process.maintenance.watched().self->name, "server-agents");
  EXPECT_TRUE(process.maintenance.stop().ok());
  EXPECT_EQ(process.agents(), std::vector<std::string>());
}

}  // namespace
}  // namespace reclaim::server
