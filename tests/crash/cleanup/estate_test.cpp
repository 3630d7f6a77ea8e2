#include "archive/estate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/archive_world.hpp"

namespace reclaim::archive {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the world of this test

using Ids = std::multiset<RequestId>;
using stored::Request;

constexpr SegmentId kHeld{90, 1};

Request in_state(Request made, Request::State state) {
  made.set_state(state);
  return made;
}

// Held by a process as a drive holds what it reads.
void hold(ArchiveWorld& world, Process& drive, const SegmentId& id, const std::vector<Request>& requests) {
  drive.hand.hold({object_name(id)}).value();
  stored::Segment segment;
  segment.set_owner(object_name(drive.hand.owner()).str());
  segment.set_origin(object_name(id).str());
  for (const Request& each : requests) *segment.add_requests() = each;
  world.store.create(object_name(id), encode(id, segment)).value();
}

TEST(Estate, ReturnsRequestsAsIfNewlySubmittedAndLeavesOutWhatEnded) {
  ArchiveWorld world;
  Process collector(*world.database, world.store, "collector");
  {
    Process drive(*world.database, world.store, "drive");
    Request cancelled = request(2, {"V1", "V2"});
    cancelled.set_cancel_asked(true);
    hold(world, drive, kHeld,
         {request(1, {"V1", "V2"}), cancelled, in_state(request(3, {"V1"}), Request::TRANSFERRED),
          in_state(request(4, {"V1"}), Request::FAILED), request(5, {"V1", "V2"})});
    const std::vector<Ended> removed{{.id = {kHeld, 5}, .how = Ending::kRemoved, .reported = false, .request = request(5, {"V1", "V2"})}};
    record_ended(world.context(), removed).value();
  }
  world.ask("V1", TapeState::kBroken);
  EXPECT_EQ(collector.run_all(), std::vector<std::string>());
  EXPECT_EQ(world.contents(), (std::map<QueueId, Ids>{{to_transfer("V2"), {{kHeld, 1}}}, {to_report("V1"), {{kHeld, 3}, {kHeld, 4}}}}));
  EXPECT_TRUE(find_ended(world.context(), std::vector{RequestId{kHeld, 2}}).value().front().has_value());
  EXPECT_EQ(world.store.list_all("agent").value().size(), 1u);
  expect_clean(world, "returned");
}

TEST(Estate, GivesAnotherVersionToWhatTheDeadHadOnlyRecorded) {
  ArchiveWorld world;
  world.put(kHeld, to_transfer("V1"), {request(1, {"V1", "V2"}), request(2, {"V1", "V2"})});
  Process collector(*world.database, world.store, "collector");
  ports::Version before;
  {
    Process drive(*world.database, world.store, "drive");
    before = world.store.read(object_name(kHeld)).value().version;
    drive.hand.hold({object_name(kHeld), object_name(to_transfer("V1")), object_name(SegmentId{90, 2})}).value();
  }
  EXPECT_EQ(collector.run_all(), std::vector<std::string>());
  EXPECT_GT(world.store.read(object_name(kHeld)).value().version, before);
  EXPECT_EQ(world.contents(), (std::map<QueueId, Ids>{{to_transfer("V1"), {{kHeld, 1}, {kHeld, 2}}}}));
  EXPECT_EQ(world.store.list_all("agent").value().size(), 1u) << "what was recorded and never made is settled";
  expect_clean(world, "rewritten");
}

TEST(Estate, KeepsWhatWaitsForATapeWhoseCleanupIsAboutToEnd) {
  ArchiveWorld world;
  world.put({91, 1}, to_transfer("V2"), {request(1, {"V2"})});
  Process collector(*world.database, world.store, "collector");
  Process cleaner(*world.database, world.store, "cleaner");
  edit_queue(world.store, to_transfer("V2"), [&](stored::Queue& queue) -> Result<Edited> {
    queue.mutable_reservation()->set_agent(cleaner.hand.id().str());
    return Edited::kWrite;
  }).value();
  {
    Process drive(*world.database, world.store, "drive");
    hold(world, drive, kHeld, {request(1, {"V2"})});
  }
  const auto collect = [&] {
    for (int look = 0; look < 6; ++look) {
      cleaner.agent->heart().beat().value();
      (void)collector.collect();
    }
  };
  collect();
  EXPECT_EQ(world.all_requests(), (Ids{{{91, 1}, 1}})) << "V2 is ACTIVE and takes nothing at this moment: it is not failed for that";
  EXPECT_EQ(cleaner.clean().value().problems, std::vector<std::string>());
  collect();
  EXPECT_EQ(world.contents(), (std::map<QueueId, Ids>{{to_transfer("V2"), {{kHeld, 1}, {{91, 1}, 1}}}}));
  expect_clean(world, "after the cleanup");
}

TEST(Estate, OfAKindThatNobodyKnowsHindersNothingElse) {
  ArchiveWorld world;
  Process collector(*world.database, world.store, "collector");
  {
    Process drive(*world.database, world.store, "drive");
    hold(world, drive, kHeld, {request(1, {"V1"})});
    drive.hand.hold({{"thing", "x"}}).value();
    world.store.create({"thing", "x"}, "of a newer Reclaim").value();
  }
  EXPECT_NE(collector.run_all(), std::vector<std::string>());
  EXPECT_EQ(world.all_requests(), (Ids{{kHeld, 1}}));
  EXPECT_EQ(world.store.list_all("agent").value().size(), 2u) << "whoever knows it settles it";
}

}  // namespace
}  // namespace reclaim::archive
