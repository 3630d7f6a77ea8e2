#include "agents/agent.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/census.hpp"
#include "agents/epochs.hpp"
#include "agents/records.hpp"
#include "sim/counting_store.hpp"
#include "sim/faulty_store.hpp"
#include "sim/fleet_world.hpp"

namespace reclaim::agents {
namespace {

using sim::must;

using Names = std::vector<ports::ObjectName>;

const ports::ObjectName kA{"segment", "1-1"};
const ports::ObjectName kB{"segment", "1-2"};

class Agents : public testing::Test {
 protected:
  std::unique_ptr<Agent> registered(const std::string& name = "drive-1") { return must(Agent::register_as(store_, name, "drive")); }

  Names listed(const Agent& agent) {
    const ports::Object object = must(store_.read(agent.id().object()));
    return must(owned_names(agent.id().object(), object.bytes));
  }
  // As a collector does, or with nobody's name: as one does who merely gives the object a new version.
  void write_into(const Agent& agent, const std::string& collector) {
    const ports::Object object = must(store_.read(agent.id().object()));
    stored::Agent record = must(decode_agent(agent.id(), object.bytes));
    record.set_collector(collector);
    must(store_.replace(agent.id().object(), object.version, encode(agent.id(), record)));
  }
  Beat beat_of(const Agent& agent) {
    for (const Sighting& sighting : must(look(store_))) {
      if (sighting.id == agent.id() && sighting.beat) return *sighting.beat;
    }
    ADD_FAILURE() << "no beat of " << agent.id().str();
    return {};
  }

  objects_memory::MemoryStore memory_;
  sim::Fault fault_;
  sim::FaultyStore faulty_{memory_, fault_};
  sim::CountingStore store_{faulty_};
};

TEST_F(Agents, NoTwoHaveOneEpoch) {
  EXPECT_EQ(registered("a")->id().str(), "agent/a@1");
  EXPECT_EQ(registered("b")->id().str(), "agent/b@2");
  EXPECT_EQ(registered("a")->id().str(), "agent/a@3") << "one that registers again is another";
}

TEST_F(Agents, NoTwoHaveOneEpochWhenManyRegisterAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  std::vector<std::vector<std::uint64_t>> drawn(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, &mine = drawn[static_cast<std::size_t>(i)]] {
      for (int n = 0; n < kEach; ++n) mine.push_back(must(draw_epoch(memory_)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::uint64_t> all;
  for (const auto& some : drawn) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kEach));
}

TEST_F(Agents, OnceGoneTheirEpochsDoNotComeBack) {
  must(registered()->leave());
  EXPECT_EQ(registered()->id().epoch, 2U);
}

TEST_F(Agents, AStoreThatLostItsRootGivesNoEpochs) {
  registered();
  must(store_.remove(root_name(), must(store_.read(root_name())).version));
  const Result<std::uint64_t> drawn = draw_epoch(store_);
  ASSERT_FALSE(drawn.ok());
  EXPECT_EQ(drawn.error().kind, Error::Kind::kCorrupt);
}

TEST_F(Agents, NamesAndKindsAreWellFormed) {
  EXPECT_EQ(Agent::register_as(store_, "a@b", "drive").error().field, "name");
  EXPECT_EQ(Agent::register_as(store_, "a", "").error().field, "kind");
  EXPECT_EQ(store_.cost().count(), 0);
}

TEST_F(Agents, ManyNamesAreRecordedInOneWriteAndReleasedWithTheNext) {
  const auto agent = registered();
  Names many;
  many.reserve(1000);
  for (int i = 0; i < 1000; ++i) many.push_back({"segment", "1-" + std::to_string(1000 + i)});
  (void)store_.take();
  must(agent->own(many));
  agent->release(many);
  must(agent->own(Names{kA}));
  EXPECT_EQ(store_.cost().count(), 2);
  EXPECT_EQ(listed(*agent), Names{kA});
}

TEST_F(Agents, TheListIsExactAfterAFlushAndAFlushOfAnExactListCostsNothing) {
  const auto agent = registered();
  must(agent->own(Names{kA, kB}));
  agent->release(Names{kA});
  must(agent->flush());
  EXPECT_EQ(listed(*agent), Names{kB});
  (void)store_.take();
  must(agent->flush());
  EXPECT_EQ(store_.cost().count(), 0);
}

TEST_F(Agents, OwningWhatIsListedAlreadyIsWrittenAllTheSame) {
  const auto agent = registered();
  must(agent->own(Names{kA}));
  agent->release(Names{kA});
  write_into(*agent, "agent/collector@9");
  const Status owned = agent->own(Names{kA});
  ASSERT_FALSE(owned.ok()) << "the collector has rewritten the object already: this agent could take it at the new version";
  EXPECT_EQ(owned.error().kind, Error::Kind::kFenced);
}

TEST_F(Agents, ARewriteThatLeavesTheListAloneIsBorne) {
  const auto agent = registered();
  must(agent->own(Names{kA}));
  write_into(*agent, "");
  must(agent->own(Names{kB}));
  EXPECT_EQ(listed(*agent), (Names{kA, kB}));
}

TEST_F(Agents, TenThousandNamesAreTheMost) {
  const auto agent = registered();
  Names many;
  many.reserve(kOwnedMax);
  for (std::size_t i = 0; i < kOwnedMax; ++i) many.push_back({"segment", "1-" + std::to_string(i)});
  must(agent->own(many));
  EXPECT_EQ(agent->own(Names{{"segment", "2-1"}}).error().kind, Error::Kind::kTooLarge);
  EXPECT_EQ(listed(*agent).size(), kOwnedMax);
}

TEST_F(Agents, LeaveOnlyWithNothing) {
  const auto agent = registered();
  must(agent->own(Names{kA}));
  EXPECT_EQ(agent->leave().error().kind, Error::Kind::kConflict);
  agent->release(Names{kA});
  must(agent->leave());
  EXPECT_TRUE(must(store_.list_all("agent")).empty());
  EXPECT_TRUE(must(store_.list_all("beat")).empty());
  EXPECT_EQ(agent->own(Names{kA}).error().kind, Error::Kind::kFenced);
  EXPECT_EQ(agent->heart().beat().error().kind, Error::Kind::kFenced);
}

TEST_F(Agents, OnceCollectedChangeNothingAndSaySo) {
  const auto agent = registered();
  must(agent->own(Names{kA}));
  write_into(*agent, "agent/collector@9");
  EXPECT_EQ(agent->own(Names{kB}).error().kind, Error::Kind::kFenced);
  (void)store_.take();
  EXPECT_EQ(agent->own(Names{kB}).error().kind, Error::Kind::kFenced);
  EXPECT_EQ(agent->flush().error().kind, Error::Kind::kFenced);
  EXPECT_EQ(agent->leave().error().kind, Error::Kind::kFenced);
  EXPECT_EQ(agent->heart().beat().error().field, "epoch");
  EXPECT_EQ(store_.cost().count(), 0) << "known once, nobody is asked again";
  EXPECT_EQ(listed(*agent), Names{kA});
}

TEST_F(Agents, AHeartWhoseBeatWasTakenAwayStopsTheWorkingThread) {
  const auto agent = registered();
  must(store_.remove(agent->id().beat(), beat_of(*agent).version));
  EXPECT_EQ(agent->heart().beat().error().kind, Error::Kind::kFenced);
  EXPECT_EQ(agent->own(Names{kA}).error().kind, Error::Kind::kFenced);
}

TEST_F(Agents, BeatsCountBothCounters) {
  const auto agent = registered();
  must(agent->heart().beat());
  agent->heart().progress(Millis(30'000));
  agent->heart().progress(Millis(600'000));
  must(agent->heart().beat());
  const Beat beat = beat_of(*agent);
  EXPECT_EQ(beat.alive, 2U);
  EXPECT_EQ(beat.progress, 2U);
  EXPECT_EQ(beat.limit, Millis(600'000));
}

TEST_F(Agents, BeatsGoOnAfterALostAnswer) {
  const auto agent = registered();
  fault_ = {.at = 0, .outcome = sim::Outcome::kAnswerLost};
  EXPECT_EQ(agent->heart().beat().error().kind, Error::Kind::kUnavailable);
  must(agent->heart().beat());
  EXPECT_EQ(beat_of(*agent).alive, 2U) << "never the same twice";
}

TEST_F(Agents, AnOwnWhoseAnswerIsLostFindsOutThatItIsDone) {
  const auto agent = registered();
  fault_ = {.at = 0, .outcome = sim::Outcome::kAnswerLost};
  must(agent->own(Names{kA}));
  EXPECT_EQ(listed(*agent), Names{kA});
}

TEST_F(Agents, ABeatThatCannotBeReadStandsStillUntilTheNext) {
  const auto agent = registered();
  must(agent->heart().beat());
  must(store_.replace(agent->id().beat(), beat_of(*agent).version, "damaged"));
  EXPECT_EQ(beat_of(*agent).alive, 0U);
  EXPECT_EQ(agent->heart().beat().error().kind, Error::Kind::kUnavailable);
  must(agent->heart().beat());
  EXPECT_GT(beat_of(*agent).alive, 1U);
}

TEST_F(Agents, AreListedWithWhatTheyOwn) {
  const auto drive = registered("drive-1");
  must(drive->own(Names{kA}));
  const auto other = registered("drive-2");
  write_into(*other, drive->id().str());
  const auto broken = registered("drive-3");
  must(store_.replace(broken->id().object(), must(store_.read(broken->id().object())).version, "damaged"));
  must(store_.create({"agent", "no-epoch"}, "a stranger's"));
  const std::vector<Listed> all = must(list_agents(store_));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].id, drive->id());
  EXPECT_EQ(all[0].kind, "drive");
  EXPECT_EQ(all[0].owned, Names{kA});
  EXPECT_EQ(all[1].collector, drive->id());
  EXPECT_NE(all[2].unreadable.find("agent/drive-3@3"), std::string::npos);
}

}  // namespace
}  // namespace reclaim::agents
