#include "archive/placement.hpp"

#include <gtest/gtest.h>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "archive/queues.hpp"
#include "archive/tapes.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;

constexpr std::int64_t kDay = 20'000;

Request request_on(std::initializer_list<const char*> vids, const std::string& file = "f1") {
  Request request;
  request.set_ordinal(1);
  request.set_file(file);
  request.set_size(10);
  for (const char* vid : vids) {
    request.add_copies()->set_vid(vid);
    request.mutable_copies()->rbegin()->set_fseq(1);
  }
  return request;
}

Request repack(Request request) {
  request.set_kind(Request::REPACK);
  return request;
}

TapeStanding in_state(TapeState state, std::uint64_t queued_bytes = 0) { return {.state = state, .queued_bytes = queued_bytes}; }

TEST(Placement, TakesUsersOnActiveThenDisabledTapesAndOnNoOther) {
  for (const TapeState state : kTapeStates) {
    const TapeStandings tapes{{Vid("V1"), in_state(state)}};
    const bool takes = state == TapeState::kActive || state == TapeState::kDisabled;
    EXPECT_EQ(best_copy(request_on({"V1"}), tapes, kDay).has_value(), takes) << name_of(state);
    EXPECT_EQ(accepts(state, Request::USER), takes) << name_of(state);
  }
  const TapeStandings tapes{{Vid("V1"), in_state(TapeState::kDisabled)}, {Vid("V2"), in_state(TapeState::kActive, 9 * kAlikeBytes)}};
  EXPECT_EQ(best_copy(request_on({"V1", "V2"}), tapes, kDay), 1U) << "the better state counts more than bytes";
}

TEST(Placement, TakesRepacksOnRepackingThenRepackingDisabledTapesAndOnNoOther) {
  for (const TapeState state : kTapeStates) {
    const TapeStandings tapes{{Vid("V1"), in_state(state)}};
    const bool takes = state == TapeState::kRepacking || state == TapeState::kRepackingDisabled;
    EXPECT_EQ(best_copy(repack(request_on({"V1"})), tapes, kDay).has_value(), takes) << name_of(state);
    EXPECT_EQ(accepts(state, Request::REPACK), takes) << name_of(state);
  }
  const TapeStandings tapes{{Vid("V1"), in_state(TapeState::kRepackingDisabled)}, {Vid("V2"), in_state(TapeState::kRepacking, 1)}};
  EXPECT_EQ(best_copy(repack(request_on({"V1", "V2"})), tapes, kDay), 1U);
}

TEST(Placement, MountsActiveAndRepackingTapes) {
  for (const TapeState state : kTapeStates) {
    EXPECT_EQ(may_mount(state), state == TapeState::kActive || state == TapeState::kRepacking) << name_of(state);
  }
}

TEST(Placement, PrefersFewestQueuedBytesWhereTapesDiffer) {
  for (int file = 0; file < 50; ++file) {
    const Request request = request_on({"V1", "V2", "V3"}, "f" + std::to_string(file));
    const TapeStandings tapes{{Vid("V1"), in_state(TapeState::kActive, 3 * kAlikeBytes)},
                              {Vid("V2"), in_state(TapeState::kActive, kAlikeBytes)},
                              {Vid("V3"), in_state(TapeState::kActive, 0)}};
    EXPECT_EQ(best_copy(request, tapes, kDay), 2U) << "100 GB are a difference";
  }
}

TEST(Placement, OfTapesThatAreAlikeKeepsAFileOnOneForTheDayAndSpreadsFiles) {
  const TapeStandings tapes{{Vid("V1"), in_state(TapeState::kActive, kAlikeBytes - 1)},
                            {Vid("V2"), in_state(TapeState::kActive, 5)},
                            {Vid("V3"), in_state(TapeState::kActive, 0)}};
  std::map<std::uint32_t, int> chosen;
  int moved_by_the_day = 0;
  for (int file = 0; file < 3000; ++file) {
    const std::string name = "f" + std::to_string(file);
    const std::optional<std::uint32_t> copy = best_copy(request_on({"V1", "V2", "V3"}, name), tapes, kDay);
    ASSERT_TRUE(copy);
    ++chosen[*copy];
    EXPECT_EQ(2 - *copy, best_copy(request_on({"V3", "V2", "V1"}, name), tapes, kDay)) << "whatever the order of the copies";
    moved_by_the_day += best_copy(request_on({"V1", "V2", "V3"}, name), tapes, kDay + 1) != copy ? 1 : 0;
  }
  for (const auto& [copy, count] : chosen) EXPECT_NEAR(count, 1000, 150) << copy;
  EXPECT_NEAR(moved_by_the_day, 2000, 200);
}

TEST(Placement, LeavesOutWhatCannotServe) {
  const TapeStandings tapes{{Vid("V1"), in_state(TapeState::kActive)},
                            {Vid("V2"), {.state = TapeState::kActive, .is_reserved = true}},
                            {Vid("V3"), in_state(TapeState::kDisabled)}};
  Request request = request_on({"V1", "V2", "V3", "V4"});
  EXPECT_EQ(best_copy(request, tapes, kDay), 0U);
  request.mutable_copies(0)->set_failed(true);
  EXPECT_EQ(best_copy(request, tapes, kDay), 2U) << "the second is under cleanup, the fourth does not exist";
  request.mutable_copies(2)->set_failed(true);
  EXPECT_EQ(best_copy(request, tapes, kDay), std::nullopt);
}

TEST(Placement, SaysOfEachTapeWhyItDoesNotServe) {
  const TapeStandings tapes{{Vid("V1"), {.state = TapeState::kBroken, .reason = "dropped"}},
                            {Vid("V2"), {.state = TapeState::kExported, .reason = "to the vault"}},
                            {Vid("V3"), {.state = TapeState::kActive, .is_reserved = true}},
                            {Vid("V4"), {.state = TapeState::kActive}}};
  EXPECT_EQ(why_none(request_on({"V1", "V2"}), tapes), "V1 is BROKEN: \"dropped\"; V2 is EXPORTED: \"to the vault\"");
  Request request = request_on({"V3", "V4", "V5"});
  request.mutable_copies(1)->set_failed(true);
  EXPECT_EQ(why_none(request, tapes), "V3 is ACTIVE, but its queue takes nothing now; V4 could not be read; there is no tape V5");
  EXPECT_EQ(why_none(repack(request_on({"V4"})), tapes), "V4 is ACTIVE");
  EXPECT_EQ(why_none(request_on({}), tapes), "there is no copy");
}

TEST(Placement, SendsWhatIsQueuedToTheBestTapeAndCountsItThere) {
  TapeStandings tapes{{Vid("V1"), in_state(TapeState::kBroken)}, {Vid("V2"), in_state(TapeState::kActive, 5)}};
  Request request = request_on({"V1", "V2"});
  EXPECT_EQ(send_on(request, tapes, kDay, Vid("V1")), (QueueId{Vid("V2"), QueueType::kToTransfer}));
  EXPECT_EQ(request.active_copy(), 1U);
  EXPECT_EQ(request.state(), Request::QUEUED);
  EXPECT_EQ(tapes.at(Vid("V2")).queued_bytes, 15U);
}

TEST(Placement, SendsWhatNobodyServesToBeReportedAsFailedWithTheReason) {
  TapeStandings tapes{{Vid("V1"), {.state = TapeState::kBrokenPending, .reason = "torn"}}};
  Request request = request_on({"V1"});
  request.mutable_attempts()->set_total(2);
  EXPECT_EQ(send_on(request, tapes, kDay, Vid("V9")), (QueueId{Vid("V1"), QueueType::kToReport}));
  EXPECT_EQ(request.state(), Request::FAILED);
  EXPECT_EQ(request.final_attempt(), 2U);
  ASSERT_EQ(request.errors_size(), 1);
  EXPECT_EQ(request.errors(0), "V1 is BROKEN_PENDING: \"torn\"");
  EXPECT_EQ(send_on(request, tapes, kDay, Vid("V9")), (QueueId{Vid("V1"), QueueType::kToReport}));
  EXPECT_EQ(request.errors_size(), 1) << "once it is final, it goes on as it is";
}

TEST(Placement, SendsWhatHasNoCopyLeftToTheQueueOfWhereItCameFrom) {
  TapeStandings tapes;
  Request request = request_on({});
  request.set_state(Request::FAILED);
  EXPECT_EQ(send_on(request, tapes, kDay, Vid("V9")), (QueueId{Vid("V9"), QueueType::kToReport}));
}

TEST(Placement, LooksAtTapesAndTheirQueues) {
  const std::unique_ptr<ports::Database> database = database_sqlite::open_sqlite({}).value();
  objects_memory::MemoryStore store;
  const Context context{*database, {1}, "test"};
  for (const char* vid : {"V1", "V2", "V3", "V4"}) {
    add_tape(context, {.vid = Vid(vid), .pool = PoolName("p"), .library = LibraryName("l")}).value();
  }
  ask_tape_state(context, Vid("V2"), TapeState::kDisabled, "slow").value();
  stored::Queue::Pointer entry;
  entry.set_segment("segment/1-1");
  entry.set_expects(1);
  entry.set_requests(2);
  entry.set_bytes(70);
  const QueueId first{Vid("V1"), QueueType::kToTransfer};
  announce(store, first, std::span(&entry, 1)).value();
  stored::Queue reserved = empty_queue({Vid("V3"), QueueType::kToTransfer});
  reserved.mutable_reservation()->set_agent("agent/m@1");
  store.create({"queue", "V3.t"}, encode({Vid("V3"), QueueType::kToTransfer}, reserved)).value();
  store.create({"queue", "V4.t"}, "rubbish").value();

  const TapeStandings tapes = look_at_tapes(context, store, {Vid("V1"), Vid("V2"), Vid("V3"), Vid("V4"), Vid("V5")}).value();
  ASSERT_EQ(tapes.size(), 4U) << "a tape that does not exist is not there";
  EXPECT_EQ(tapes.at(Vid("V1")).queued_bytes, 70U);
  EXPECT_EQ(tapes.at(Vid("V2")).state, TapeState::kDisabled);
  EXPECT_EQ(tapes.at(Vid("V2")).reason, "slow");
  EXPECT_TRUE(tapes.at(Vid("V3")).is_reserved);
  EXPECT_TRUE(tapes.at(Vid("V4")).is_reserved) << "what cannot be read takes nothing";
}

}  // namespace
}  // namespace reclaim::archive
