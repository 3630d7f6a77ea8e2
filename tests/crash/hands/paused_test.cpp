// Somebody comes in between two calls of a taker, each in turn: a cleaner who reserves the queue, or a collector who takes the taker for
// dead. And what cannot be read is somewhere at every call of whoever sets it aside (A2).
#include <gtest/gtest.h>

#include <cstdio>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/records.hpp"
#include "archive/move.hpp"
#include "archive/quarantine.hpp"
#include "archive/take.hpp"
#include "crash/hands/hands.hpp"
#include "sim/faulty_store.hpp"

namespace reclaim::archive {
namespace {

using samples::AtWork;
using samples::Interrupted;
using samples::put_into;

const QueueId kQueue{Vid("V1"), QueueType::kToTransfer};
constexpr SegmentId kFirst{1000, 1};
constexpr SegmentId kSecond{1000, 2};

std::vector<stored::Queue::Pointer> all(const stored::Queue& queue) { return {queue.pointers().begin(), queue.pointers().end()}; }

// The reservation is what keeps others away: a queue that was emptied is not gone while somebody has reserved it (A3).
TEST(PausedTakers, LeaveAQueueThatIsReservedMeanwhile) {
  int pauses = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++pauses) {
    objects_memory::MemoryStore store;
    put_into(store, kQueue, kFirst, {1, 2});
    AtWork cleaner(store, "cleaner");
    AtWork drive(store);
    Interrupted paused(store, pauses, [&] {
      edit_queue(store, kQueue, [&](stored::Queue& queue) -> Result<Edited> {
        queue.mutable_reservation()->set_agent(cleaner.hand.id().str());
        return Edited::kWrite;
      }).value();
    });
    Hand hand(paused, *drive.agent);
    (void)take(hand, kQueue, all).value();
    is_reached = paused.has_happened();
    const auto queue = read_queue(store, kQueue).value();
    EXPECT_EQ(queue && queue->has_reservation(), is_reached) << "reserved before call " << pauses;
  }
  std::printf("crash points: reservations beside a taker: %d\n", pauses);
}

// What a collector does for one that it takes for dead (agents/takeover.hpp, archive/estate.hpp): whatever is on its list is its queue's
// again, at a new version; then its object goes.
void collect(ports::ObjectStore& store, const agents::AgentId& dead) {
  const ports::Object object = store.read(dead.object()).value();
  for (const ports::ObjectName& name : agents::owned_names(dead.object(), object.bytes).value()) {
    const SegmentAt found = read_segment(store, parse_segment_name(name.str()).value()).value().value();
    const WholeMove back{.id = found.id, .at = found.version, .after = found.segment, .to = kQueue};
    EXPECT_EQ(move_whole(store, std::span(&back, 1)).value().front(), Moved::kDone);
  }
  store.remove(dead.object(), store.read(dead.object()).value().version).value();
}

TEST(PausedTakers, WakeAfterTheirCollectionAndTakeNothing) {
  int pauses = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++pauses) {
    objects_memory::MemoryStore store;
    for (const SegmentId& id : {kFirst, kSecond}) put_into(store, kQueue, id, {1, 2});
    AtWork drive(store);
    Interrupted paused(store, pauses, [&] { collect(store, drive.hand.id()); });
    Hand hand(paused, *drive.agent);
    (void)take(hand, kQueue, all);
    is_reached = paused.has_happened();
    if (!is_reached) break;
    for (const SegmentId& id : {kFirst, kSecond}) {
      EXPECT_TRUE(read_segment(store, id).value().value().is_owned_by(kQueue)) << "collected before call " << pauses;
    }
  }
  std::printf("crash points: pauses of a taker: %d\n", pauses);
}

TEST(SettingAside, KeepsTheBytesSomewhereAtEveryCall) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    bool is_reached = true;
    for (int at = 0; is_reached; ++at, ++runs) {
      objects_memory::MemoryStore store;
      const ports::Version version = store.create(object_name(kFirst), "garbage").value();
      sim::Fault fault{.at = at, .outcome = outcome};
      sim::FaultyStore faulty(store, fault);
      try {
        (void)quarantine(faulty, kFirst, {"garbage", version}, "unreadable");
      } catch (const sim::Crash&) {
      }
      is_reached = fault.happened;
      EXPECT_TRUE(store.read(object_name(kFirst)).ok() || store.read(damaged_name(kFirst)).ok())
          << "who sets it aside is " << in_words(fault);
    }
  }
  std::printf("crash points: setting aside: %d\n", runs);
}

}  // namespace
}  // namespace reclaim::archive
