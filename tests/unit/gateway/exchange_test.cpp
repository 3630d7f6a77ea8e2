// The protocol of one command, without SSH.
#include "gateway/exchange.hpp"

#include <gtest/gtest.h>

#include "gateway/frames.hpp"
#include "gateway_fixture.hpp"

namespace reclaim::gateway {
namespace {

TEST(Commands, AreExactlySix) {
  for (const char* known : {"sync", "sync --follow", "heartbeat", "land", "retire", "status"}) EXPECT_TRUE(parse_command(known)) << known;
  for (const char* unknown : {"", "sync ", " sync", "sync  --follow", "sync --follow x", "SYNC", "sync;id", "sh", "sync\n", "statuses"}) {
    EXPECT_FALSE(parse_command(unknown)) << unknown;
  }
}

TEST(Sync, AsksOnceAndOnlyWhenTheInputHasEnded) {
  Exchange sync(Command::kSync, 100);
  sync.feed("{\"a\":\n");
  EXPECT_FALSE(sync.next_ask());
  sync.feed("1}");
  sync.feed_end();
  EXPECT_EQ(sync.next_ask()->frame, "{\"a\":\n1}");
  sync.passed_on();
  EXPECT_FALSE(sync.next_ask());
  sync.answered(1, std::string("{}"));
  EXPECT_EQ(sync.out.rest(), "{}\n");
  EXPECT_EQ(sync.exit_status, kExitDone);
}

TEST(Sync, OverTheLimitPassesNothingOn) {
  Exchange sync(Command::kSync, 10);
  sync.feed("12345678901");
  sync.feed_end();
  EXPECT_FALSE(sync.next_ask());
  EXPECT_EQ(sync.exit_status, kExitRefused);
  EXPECT_NE(sync.err.rest().find("urn:reclaim:too-large"), std::string_view::npos);
  EXPECT_EQ(sync.held_bytes(), 0U);
}

TEST(Sync, TellsTemporaryFromRefused) {
  for (const auto& [error, status] : {std::pair(unavailable("away"), kExitTemporary), std::pair(fenced("old", "session"), kExitRefused)}) {
    Exchange sync(Command::kSync, 10);
    sync.feed_end();
    sync.answered(sync.next_ask()->number, error);
    EXPECT_EQ(sync.exit_status, status);
    EXPECT_TRUE(sync.out.empty());
    EXPECT_EQ(sync.err.rest().back(), '\n');
  }
}

TEST(Follow, PassesTheNextFrameOnWhileTheFormerIsHeldAndInOrder) {
  Exchange follow(Command::kFollow, 100);
  follow.feed("one\ntwo\nthr");
  EXPECT_EQ(follow.next_ask()->frame, "one");
  EXPECT_FALSE(follow.next_ask()) << "one is still on its way to the door";
  follow.passed_on();
  EXPECT_EQ(follow.next_ask()->frame, "two");
  follow.passed_on();
  EXPECT_FALSE(follow.next_ask());
  follow.answered(2, std::string("B"));
  follow.answered(1, std::string("A"));
  EXPECT_EQ(follow.out.rest(), "B\nA\n");
  EXPECT_FALSE(follow.exit_status);
}

TEST(Follow, StopsReadingWhenTooManyFramesWait) {
  Exchange follow(Command::kFollow, 100);
  follow.feed("1\n2\n3\n4\n5\n");
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(follow.next_ask());
    follow.passed_on();
  }
  EXPECT_FALSE(follow.next_ask());
  EXPECT_TRUE(follow.is_full());
  follow.answered(1, std::string("A"));
  EXPECT_EQ(follow.next_ask()->frame, "5");
  EXPECT_FALSE(follow.is_full());
}

TEST(Follow, GoesOnAfterARefusalButNotWithoutAKey) {
  Exchange follow(Command::kFollow, 100);
  follow.feed("1\n");
  follow.answered(follow.next_ask()->number, invalid("sequence", "is missing"));
  follow.passed_on();
  EXPECT_NE(follow.out.rest().find("urn:reclaim:invalid"), std::string_view::npos);
  EXPECT_FALSE(follow.exit_status);
  follow.feed("2\n");
  follow.answered(follow.next_ask()->number, unauthenticated("no worker"));
  EXPECT_EQ(follow.exit_status, kExitRefused);
}

TEST(Follow, TellsHalfAFrameAfterTheAnswersToWholeOnes) {
  Exchange follow(Command::kFollow, 100);
  follow.feed("1\nhal");
  follow.feed_end();
  const std::optional<Ask> ask = follow.next_ask();
  EXPECT_FALSE(follow.exit_status);
  follow.answered(ask->number, std::string("A"));
  EXPECT_EQ(follow.out.rest(), "A\n");
  EXPECT_EQ(follow.exit_status, kExitRefused);
}

TEST(Follow, OfNothingEndsWell) {
  Exchange follow(Command::kFollow, 100);
  follow.feed_end();
  EXPECT_EQ(follow.exit_status, kExitDone);
}

TEST(Follow, HoldsWhatIsNotAnsweredAndForgetsWhatIs) {
  Exchange follow(Command::kFollow, 100);
  follow.feed("1234\n56");
  EXPECT_EQ(follow.held_bytes(), 6U);
  follow.answered(follow.next_ask()->number, std::string("A"));
  EXPECT_EQ(follow.held_bytes(), 2U);
}

TEST(Calls, AskAtOnceAndTakeNoInput) {
  Exchange call(Command::kLand, 10);
  call.feed("a text that is longer than any limit");
  EXPECT_EQ(call.next_ask()->call, ports::WorkerCall::kLand);
  EXPECT_FALSE(call.exit_status);
}

constexpr const char* kFull =
    R"({"session":"s","answered":{"session":"other"},"incarnation":"i","started":3,"sequence":1,"as_of":0,"containers":{"full":["a"]}})";

TEST(Frames, ThatAreCompleteGoOnAsTheyAreAndAreRemembered) {
  std::optional<wire::Standing> standing;
  EXPECT_EQ(complete_frame(kFull, standing).value(), kFull);
  ASSERT_TRUE(standing);
  EXPECT_EQ(standing->session, "s");
  EXPECT_EQ(standing->incarnation, "i");
  EXPECT_EQ(standing->started, 3);
}

TEST(Frames, AreReadNoFurtherThanNeeded) {
  std::optional<wire::Standing> standing;
  const std::string frame = R"({"session":"s","incarnation":"i","started":3,"sequence":1, this is the door's to refuse)";
  EXPECT_EQ(complete_frame(frame, standing).value(), frame);
}

TEST(Frames, ThatAreShortAreCompleted) {
  std::optional<wire::Standing> standing;
  ASSERT_TRUE(complete_frame(test::frame(1), standing).ok());
  const Result<std::string> completed = complete_frame(R"({"sequence":8,"as_of":5,"same":true})", standing);
  ASSERT_TRUE(completed.ok()) << completed.error().message;
  const wire::SyncRequest request = wire::parse_sync_request(completed.value()).value();
  EXPECT_EQ(request.session, standing->session);
  EXPECT_EQ(request.sequence, 8);
  EXPECT_TRUE(request.same);
}

TEST(Frames, ThatAreShortAreRefusedWhenNothingCameBefore) {
  std::optional<wire::Standing> standing;
  EXPECT_EQ(complete_frame(R"({"sequence":8,"as_of":5,"same":true})", standing).error().kind, Error::Kind::kInvalid);
  EXPECT_EQ(complete_frame("not json", standing).error().kind, Error::Kind::kUnparsable);
}

}  // namespace
}  // namespace reclaim::gateway
