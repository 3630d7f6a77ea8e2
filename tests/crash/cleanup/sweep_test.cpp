#include "archive/sweep.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "archive/mounts.hpp"
#include "sim/counting_store.hpp"
#include "support/archive_world.hpp"

namespace reclaim::archive {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the world of this test

using Ids = std::multiset<RequestId>;

const agents::AgentId kGone{"gone", 999};  // never registered: as one that was collected long ago
constexpr SegmentId kSource{90, 1};
constexpr SegmentId kChild{90, 2};

// Of one request on V1 and V2, as whoever owns it left it.
ports::Version make(ArchiveWorld& world, const SegmentId& id, const Owner& owner, const SegmentId& origin = kSource) {
  stored::Segment segment;
  segment.set_owner(object_name(owner).str());
  segment.set_origin(object_name(origin).str());
  *segment.add_requests() = request(1, {"V1", "V2"});
  return world.store.create(object_name(id), encode(id, segment)).value();
}

void enter(ArchiveWorld& world, const QueueId& queue, const SegmentId& id, ports::Version expects) {
  stored::Segment segment;
  *segment.add_requests() = request(1, {"V1", "V2"});
  const auto entry = summarize(id, expects, segment);
  announce(world.store, queue, std::span(&entry, 1)).value();
}

void reserve(ArchiveWorld& world, const QueueId& queue, const agents::AgentId& agent) {
  edit_queue(world.store, queue, [&](stored::Queue& now) -> Result<Edited> {
    now.mutable_reservation()->set_agent(agent.str());
    return Edited::kWrite;
  }).value();
}

SweepReport sweep(ArchiveWorld& world) {
  Process process(*world.database, world.store, "sweeper");
  SweepReport report = process.sweep.run(100).value();
  EXPECT_EQ(report.problems, std::vector<std::string>());
  EXPECT_EQ(process.agent->owned(), std::set<ports::ObjectName>());
  EXPECT_TRUE(process.agent->leave().ok());
  return report;
}

TEST(Sweep, ReturnsWhatAnAgentOwnsThatDoesNotExist) {
  ArchiveWorld world;
  make(world, kSource, kGone);
  EXPECT_EQ(sweep(world).settled, 1u);
  EXPECT_EQ(world.all_requests(), (Ids{{kSource, 1}}));
  expect_clean(world, "returned");
}

TEST(Sweep, RemovesAChildThatItsSourceDoesNotNameAndNobodyIsMaking) {
  ArchiveWorld world;
  world.put(kSource, to_transfer("V1"), {request(1, {"V1", "V2"})});
  make(world, kChild, kSource);
  {
    Process maker(*world.database, world.store, "maker");
    maker.hand.hold({object_name(kChild)}).value();
    EXPECT_EQ(sweep(world).settled, 0u) << "its maker has it on its list";
    maker.hand.let_go({object_name(kChild)});
    EXPECT_TRUE(maker.agent->leave().ok());
  }
  EXPECT_EQ(sweep(world).settled, 1u);
  EXPECT_EQ(world.all_requests(), (Ids{{kSource, 1}}));
  expect_clean(world, "removed");
}

TEST(Sweep, AnnouncesAgainWhatItsQueueHasNoEntryFor) {
  ArchiveWorld world;
  make(world, kSource, to_transfer("V1"));
  EXPECT_EQ(world.all_requests(), Ids());
  EXPECT_EQ(sweep(world).settled, 1u);
  EXPECT_EQ(world.all_requests(), (Ids{{kSource, 1}}));
  expect_clean(world, "announced");
}

TEST(Sweep, ReleasesReservationsAndMountsOfAgentsThatDoNotExist) {
  ArchiveWorld world;
  world.put(kSource, to_transfer("V1"), {request(1, {"V1", "V2"})});
  for (const QueueId& queue : {to_transfer("V1"), to_report("V1"), to_transfer("V2")}) reserve(world, queue, kGone);
  {
    Process drive(*world.database, world.store, "drive");
    mount(drive.hand, Vid("V1"), "D1", 1).value();
    reserve(world, to_transfer("V3"), drive.hand.id());
    EXPECT_EQ(sweep(world).settled, 3u) << "and what the living have is theirs";
    EXPECT_TRUE(find_mount(world.store, Vid("V1")).value().has_value());
    drive.hand.let_go({mount_name(Vid("V1"))});
    EXPECT_TRUE(drive.agent->leave().ok());
  }
  EXPECT_EQ(sweep(world).settled, 2u);
  EXPECT_FALSE(find_mount(world.store, Vid("V1")).value().has_value());
  EXPECT_FALSE(read_queue(world.store, to_transfer("V1")).value()->has_reservation());
  EXPECT_EQ(world.store.list_all("queue").value(), std::vector<std::string>{"V1.t"}) << "empty queues go with their reservation";
  expect_clean(world, "released");
}

TEST(Sweep, DropsRecordsThatLeadToNothing) {
  ArchiveWorld world;
  stored::Segment record;
  record.set_origin(object_name(kSource).str());
  auto& forwarding = *record.add_forwarded();
  forwarding.set_child(object_name(kChild).str());
  forwarding.set_queue(object_name(to_transfer("V2")).str());
  forwarding.add_ordinals(1);
  world.store.create(object_name(kSource), encode(kSource, record)).value();
  stored::Index index;
  auto& place = *index.add_places();
  place.set_segment(object_name(kChild).str());
  place.add_ordinals(1);
  world.store.create(index_name(kSource), encode(kSource, index)).value();
  EXPECT_EQ(sweep(world).settled, 2u);
  EXPECT_EQ(world.store.list_all("segment").value().size() + world.store.list_all("index").value().size(), 0u);
}

TEST(Sweep, DropsDeadEntriesAndQueuesThatHoldNothing) {
  ArchiveWorld world;
  world.put(kSource, to_transfer("V1"), {request(1, {"V1", "V2"})});
  enter(world, to_transfer("V2"), kSource, ports::Version{99'999});  // of a move that was refused
  enter(world, to_transfer("V3"), kChild, ports::Version{7});        // of a segment that has gone
  EXPECT_EQ(sweep(world).settled, 2u);
  EXPECT_EQ(world.store.list_all("queue").value(), std::vector<std::string>{"V1.t"});
  expect_clean(world, "dropped");
}

TEST(Sweep, OfAStoreThatIsInOrderWritesNothing) {
  Broken broken;
  Process process(*broken.database, broken.store, "process");
  process.clean().value();
  sim::CountingStore store(broken.store);
  Process sweeper(*broken.database, store, "sweeper");
  for (int pass = 0; pass < 3; ++pass) {
    store.take();
    EXPECT_EQ(sweeper.sweep.run(100).value().settled, 0u);
    const sim::StoreCost cost = store.take();
    EXPECT_EQ(cost.count("create") + cost.count("replace") + cost.count("remove"), 0);
  }
}

// An entry that keeps the queue from being empty, and nobody lives who could bring its segment.
TEST(Cleanup, DoesNotWaitForWhatNobodyBringsAnyMore) {
  ArchiveWorld world;
  enter(world, to_transfer("V1"), kSource, make(world, kSource, kGone));
  world.ask("V1", TapeState::kBroken);
  Process process(*world.database, world.store, "cleaner");
  EXPECT_EQ(process.clean().value().finished, 1u);
  EXPECT_EQ(world.contents()[to_transfer("V2")], (Ids{{kSource, 1}}));
  expect_clean(world, "brought");
}

}  // namespace
}  // namespace reclaim::archive
