#include "server/retrieves.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "agents/census.hpp"
#include "archive/files.hpp"
#include "archive/queue_list.hpp"
#include "archive/store_check.hpp"
#include "archive/tapes.hpp"
#include "support/manual_clock.hpp"

namespace reclaim::test {
namespace {

using archive::Enqueued;
using archive::FileId;
using archive::Submission;
using archive::Vid;

class Retrieves : public testing::Test {
 protected:
  Retrieves() {
    const archive::Context context{*database_, clock_.wall(), "test"};
    archive::add_tape(context, {.vid = Vid("V1"), .pool = archive::PoolName("p"), .library = archive::LibraryName("l")}).value();
    const archive::FileSpec file{.id = FileId("f1"), .size = 12, .checksum = "adler32:1e0b0402", .copies = {{Vid("V1"), 1}}};
    archive::add_files(context, {file}).value().front().value();
  }

  Result<Enqueued> submit() { return desk_.submit({{.file = FileId("f1"), .destination = "f1"}}).front(); }
  std::uint64_t waiting() { return archive::count_all_requests(store_).value().at(0); }
  std::vector<std::string> findings() {
    std::vector<std::string> sentences;
    for (const archive::Finding& finding : archive::check_store(store_).value().findings) sentences.push_back(finding.sentence);
    return sentences;
  }

  std::unique_ptr<ports::Database> database_ = database_sqlite::open_sqlite({}).value();
  objects_memory::MemoryStore store_;
  ManualClock clock_;
  server::RetrieveDesk desk_{*database_, store_, clock_, "server"};
};

TEST_F(Retrieves, OfManyThreadsAreAllTakenOnceEach) {
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  std::vector<std::vector<archive::RequestId>> ids(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kEach; ++j) ids.at(static_cast<std::size_t>(i)).push_back(submit().value().id);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<archive::RequestId> all;
  for (const auto& each : ids) all.insert(each.begin(), each.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kEach));
  EXPECT_EQ(waiting(), static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_EQ(findings(), std::vector<std::string>());
}

TEST_F(Retrieves, GoOnUnderANewAgentWhenTheirsWasCollected) {
  const Enqueued first = submit().value();
  const auto agents = agents::list_agents(store_).value();
  ASSERT_EQ(agents.size(), 1U);
  for (const ports::ObjectName& name : {agents[0].id.beat(), agents[0].id.object()}) {
    store_.remove(name, store_.read(name).value().version).value();
  }
  EXPECT_EQ(desk_.beat().error().kind, Error::Kind::kFenced);
  const Enqueued second = submit().value();
  EXPECT_NE(second.id.origin.epoch, first.id.origin.epoch);
  EXPECT_EQ(desk_.take_late(), (agents::LateWrites{{"agent", 1}}));
  EXPECT_EQ(desk_.take_late(), agents::LateWrites()) << "told once";
  EXPECT_EQ(waiting(), 2U);
  EXPECT_TRUE(desk_.beat().ok());
  EXPECT_EQ(findings(), std::vector<std::string>());
}

// A sweep leaves alone what is on a living agent's list: what an idle desk keeps there would never be looked at.
TEST_F(Retrieves, LeaveNothingOpenAtADeskThatNobodyComesTo) {
  const auto held = [&] { return agents::list_agents(store_).value().at(0).owned.size(); };
  (void)submit().value();
  EXPECT_EQ(held(), 1U);
  for (int beats = 1; beats < server::kIdleBeats; ++beats) EXPECT_TRUE(desk_.beat().ok());
  (void)submit().value();
  for (int beats = 1; beats < server::kIdleBeats; ++beats) EXPECT_TRUE(desk_.beat().ok());
  EXPECT_EQ(held(), 1U) << "it was not idle for so long";
  EXPECT_TRUE(desk_.beat().ok());
  EXPECT_EQ(held(), 0U);
  (void)submit().value();
  EXPECT_EQ(waiting(), 3U);
  EXPECT_EQ(findings(), std::vector<std::string>());
}

TEST_F(Retrieves, AreShownCancelledAndListed) {
  const Enqueued first = submit().value();
  const Enqueued second = submit().value();
  EXPECT_EQ(desk_.show(first.id).value().state, archive::RequestState::kQueued);
  EXPECT_EQ(desk_.list({}, "", 10).value().requests.size(), 2U);
  EXPECT_EQ(desk_.cancel("test", first.id).value().how, archive::Cancelled::kRemoved);
  EXPECT_EQ(desk_.show(first.id).error().kind, Error::Kind::kNotFound);
  EXPECT_EQ(desk_.retry("test", second.id).error().kind, Error::Kind::kConflict);
  EXPECT_EQ(desk_.remove("test", second.id).error().kind, Error::Kind::kConflict);
  EXPECT_TRUE(desk_.list_failed(std::nullopt, "", 10).value().requests.empty());
  submit().value();
  EXPECT_EQ(waiting(), 2U);
}

TEST_F(Retrieves, BeyondTheLimitAreRefusedAndChangeNothing) {
  const std::vector<Submission> many(server::kDeskWaitingMax + 1, Submission{.file = FileId("f1"), .destination = "f1"});
  const auto answers = desk_.submit(many);
  ASSERT_EQ(answers.size(), many.size());
  EXPECT_EQ(answers.back().error().kind, Error::Kind::kUnavailable);
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Retrieves, LeaveNoAgentBehind) {
  EXPECT_TRUE(desk_.leave().ok());
  EXPECT_TRUE(agents::list_agents(store_).value().empty());
  submit().value();
  EXPECT_EQ(agents::list_agents(store_).value().size(), 1U);
  EXPECT_TRUE(desk_.leave().ok());
  EXPECT_TRUE(agents::list_agents(store_).value().empty());
  EXPECT_EQ(waiting(), 1U) << "what was taken stays";
}

}  // namespace
}  // namespace reclaim::test
