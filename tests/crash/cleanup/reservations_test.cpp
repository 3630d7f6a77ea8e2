// Whose a reservation is, and what a cleaner leaves to others: what an agent of another epoch holds, and what is still on its way.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "archive/split.hpp"
#include "crash/hands/hands.hpp"
#include "support/archive_world.hpp"

namespace reclaim::archive {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the world of this test

constexpr SegmentId kSource{91, 1};

void reserve(ArchiveWorld& world, const QueueId& queue, const agents::AgentId& agent) {
  edit_queue(world.store, queue, [&](stored::Queue& now) -> Result<Edited> {
    now.mutable_reservation()->set_agent(agent.str());
    return Edited::kWrite;
  }).value();
}

std::string holder_of(ArchiveWorld& world, const QueueId& queue) {
  const auto found = read_queue(world.store, queue).value();
  return found && found->has_reservation() ? found->reservation().agent() : "";
}

// It may only be paused, and its collector has not come by yet: until then it is somebody else's.
TEST(Reservations, OfAFormerLifeAreLeftToItsCollector) {
  Broken broken;
  Process former(*broken.database, broken.store, "cleaner");
  former.hand.hold({object_name(to_transfer("V1")), object_name(to_report("V1"))}).value();
  reserve(broken, to_transfer("V1"), former.hand.id());
  Process again(*broken.database, broken.store, "cleaner");
  EXPECT_EQ(again.clean().value().waiting, 1U);
  EXPECT_EQ(holder_of(broken, to_transfer("V1")), former.hand.id().str());
  EXPECT_EQ(broken.state_of("V1"), TapeState::kBrokenPending);
  (void)again.run_all();
  broken.expect_final("once the former life is collected");
}

TEST(Reservations, AreLeftByACollectorToWhoHoldsThemNow) {
  ArchiveWorld world;
  world.put(kSource, to_transfer("V1"), {request(1, {"V1"})});
  Process collector(*world.database, world.store, "collector");
  Process cleaner(*world.database, world.store, "cleaner");
  {
    Process dead(*world.database, world.store, "dead");
    dead.hand.hold({object_name(to_transfer("V1")), object_name(to_report("V1"))}).value();
  }
  cleaner.hand.hold({object_name(to_transfer("V1")), object_name(to_report("V1"))}).value();
  for (const QueueId& queue : {to_transfer("V1"), to_report("V1")}) reserve(world, queue, cleaner.hand.id());
  for (int look = 0; look < 6; ++look) {
    cleaner.agent->heart().beat().value();
    (void)collector.collect();
  }
  EXPECT_EQ(world.store.list_all("agent").value().size(), 2U) << "the dead one is collected";
  for (const QueueId& queue : {to_transfer("V1"), to_report("V1")}) EXPECT_EQ(holder_of(world, queue), cleaner.hand.id().str());
}

// Somebody sends a request to the tape, slowly, while that is cleaned up: at each of his calls. Whether he comes through or is refused,
// nobody has to search the store for the request (A1).
TEST(Cleanup, KeepsTheEntryOfWhatMayStillCome) {
  int pauses = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++pauses) {
    Broken broken;
    broken.put(kSource, to_transfer("V3"), {request(1, {"V3", "V1"}), request(2, {"V3"})});
    Process sender(*broken.database, broken.store, "sender");
    Process cleaner(*broken.database, broken.store, "cleaner");
    samples::Interrupted paused(broken.store, pauses, [&] { (void)cleaner.clean(); });
    const SegmentAt source = read_segment(broken.store, kSource).value().value();
    const SegmentId child = sender.hand.fresh();
    sender.hand.hold({object_name(kSource), object_name(child)}).value();
    Split wanted{kSource, source.version, source.segment, {{child, to_transfer("V1"), {source.segment.requests(0)}}}};
    wanted.after.mutable_requests()->DeleteSubrange(0, 1);
    (void)split(paused, std::span(&wanted, 1)).value();
    is_reached = paused.has_happened();
    const Ids found = broken.all_requests();
    for (const std::uint32_t ordinal : {1U, 2U}) {
      EXPECT_EQ(found.count({kSource, ordinal}), 1U) << "cleaned up before call " << pauses << ": request " << ordinal;
    }
    (void)cleaner.clean();
    EXPECT_EQ(broken.state_of("V1"), TapeState::kBroken) << "before call " << pauses;
    EXPECT_EQ(broken.contents().count(to_transfer("V1")), 0U) << "before call " << pauses;
  }
  std::printf("crash points: cleanups beside a sender: %d\n", pauses);
}

}  // namespace
}  // namespace reclaim::archive
