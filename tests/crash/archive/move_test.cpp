#include "archive/move.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/objects_memory/memory_store.hpp"
#include "archive/queues.hpp"
#include "archive/split.hpp"
#include "sim/faulty_store.hpp"

namespace reclaim::archive {
namespace {

const QueueId kBroken{Vid("V1"), QueueType::kToTransfer};
const QueueId kOther{Vid("V2"), QueueType::kToTransfer};
const QueueId kThird{Vid("V3"), QueueType::kToTransfer};
const QueueId kFailed{Vid("V1"), QueueType::kToReport};
const SegmentId kSource{3, 1};
const SegmentId kChildA{3, 2};
const SegmentId kChildB{3, 3};

stored::Request request(std::uint32_t ordinal) {
  stored::Request made;
  made.set_ordinal(ordinal);
  made.set_file("f" + std::to_string(ordinal));
  made.set_destination("out/" + std::to_string(ordinal));
  made.set_size(1000);
  for (const char* vid : {"V1", "V2", "V3"}) {
    auto& copy = *made.add_copies();
    copy.set_vid(vid);
    copy.set_fseq(ordinal);
  }
  return made;
}

// One segment of four requests in the queue of a tape that leaves service, and a process that moves it.
struct Tapes {
  Tapes() {
    stored::Segment segment;
    segment.set_owner(object_name(kBroken).str());
    segment.set_origin(object_name(kSource).str());
    for (std::uint32_t ordinal = 1; ordinal <= 4; ++ordinal) *segment.add_requests() = request(ordinal);
    const ports::Version version = store.create(object_name(kSource), encode(kSource, segment)).value();
    const auto entry = summarize(kSource, version, segment);
    announce(store, kBroken, std::span(&entry, 1)).value();
  }

  SegmentAt source() { return read_segment(store, kSource).value().value(); }

  Result<Moved> move(ports::ObjectStore& through, const QueueId& to) {
    auto found = TRY(read_segment(through, kSource));
    if (!found || !found->is_owned_by(kBroken)) return Moved::kLost;
    const WholeMove wanted{kSource, found->version, found->segment, to};
    const std::vector<Moved> moved = TRY(move_whole(through, std::span(&wanted, 1)));
    if (moved.front() == Moved::kDone) TRY(drop(through, kSource));
    return moved.front();
  }

  Result<Moved> divide(ports::ObjectStore& through) {
    auto found = TRY(read_segment(through, kSource));
    if (!found || !found->is_owned_by(kBroken)) return Moved::kLost;
    const Split wanted = halves(*found);
    return TRY(split(through, std::span(&wanted, 1))).front().moved;
  }

  // 1 and 2 to another tape, 3 to a third, 4 stays.
  Split halves(const SegmentAt& found) {
    Split wanted{kSource, found.version, found.segment, {{kChildA, kOther, {}}, {kChildB, kThird, {}}}};
    wanted.after.clear_requests();
    for (const auto& one : found.segment.requests()) {
      if (one.ordinal() == 4)
        *wanted.after.add_requests() = one;
      else
        wanted.parts[one.ordinal() == 3 ? 1 : 0].requests.push_back(one);
    }
    return wanted;
  }

  Status drop(ports::ObjectStore& through, const SegmentId& id) {
    return edit_queue(through, kBroken, [&](stored::Queue& queue) -> Result<Edited> {
      const auto entry = queue.pointers_size() > 0 ? queue.pointers(0) : stored::Queue::Pointer();
      drop_entry(queue, id, ports::Version{entry.expects()});
      return queue.pointers_size() == 0 ? Edited::kRemove : Edited::kWrite;
    });
  }

  // What whoever comes after a crash does.
  void recover() {
    finish_splits(store, kSource).value();
    for (const SegmentId& child : {kChildA, kChildB}) {
      if (const auto found = read_segment(store, child).value(); found && found->is_owned_by(kSource)) discard_child(store, child).value();
    }
    for (const QueueId& queue : {kBroken, kOther, kThird, kFailed}) tidy_queue(store, queue).value();
  }

  // Queue -> its requests' ordinals, as a taker finds them: over live entries.
  std::map<QueueId, std::multiset<std::uint32_t>> contents() {
    std::map<QueueId, std::multiset<std::uint32_t>> found;
    for (const QueueId& id : {kBroken, kOther, kThird, kFailed}) {
      const auto queue = read_queue(store, id).value();
      if (!queue) continue;
      for (const auto& entry : queue->pointers()) {
        const auto segment = read_segment(store, parse_segment_name(entry.segment()).value()).value();
        std::optional<SegmentSeen> seen;
        if (segment) seen = SegmentSeen{segment->segment.owner(), segment->version};
        if (standing_of(entry, id, seen) != Standing::kLive) continue;
        for (const auto& one : segment->segment.requests()) found[id].insert(one.ordinal());
      }
    }
    return found;
  }

  // A1, A2: each of the four, once.
  void expect_each_once(const std::string& told) {
    std::multiset<std::uint32_t> all;
    for (const auto& [queue, ordinals] : contents()) all.insert(ordinals.begin(), ordinals.end());
    EXPECT_EQ(all, (std::multiset<std::uint32_t>{1, 2, 3, 4})) << "A1 one-place, A2 no-loss: requests as a taker finds them, after\n"
                                                               << told;
  }

  objects_memory::MemoryStore store;
};

using Contents = std::map<QueueId, std::multiset<std::uint32_t>>;

TEST(WholeMove, TakesASegmentToItsQueueAndLeavesNothingBehind) {
  Tapes tapes;
  EXPECT_EQ(tapes.move(tapes.store, kOther).value(), Moved::kDone);
  EXPECT_EQ(tapes.contents(), (Contents{{kOther, {1, 2, 3, 4}}}));
  EXPECT_FALSE(read_queue(tapes.store, kBroken).value().has_value());
}

TEST(WholeMove, IsRefusedByAQueueUnderCleanup) {
  Tapes tapes;
  edit_queue(tapes.store, kOther, [](stored::Queue& queue) -> Result<Edited> {
    queue.mutable_reservation()->set_agent("agent/cleaner@4");
    return Edited::kWrite;
  }).value();
  EXPECT_EQ(tapes.move(tapes.store, kOther).value(), Moved::kRefused);
  EXPECT_EQ(tapes.contents(), (Contents{{kBroken, {1, 2, 3, 4}}}));
}

TEST(WholeMove, OfASegmentThatSomebodyChangedChangesNothing) {
  Tapes tapes;
  const SegmentAt before = tapes.source();
  EXPECT_EQ(tapes.move(tapes.store, kOther).value(), Moved::kDone);
  const WholeMove late{kSource, before.version, before.segment, kThird};
  EXPECT_EQ(move_whole(tapes.store, std::span(&late, 1)).value().front(), Moved::kLost);
  tapes.recover();
  EXPECT_EQ(tapes.contents(), (Contents{{kOther, {1, 2, 3, 4}}}));
  EXPECT_FALSE(read_queue(tapes.store, kThird).value().has_value()) << "the late writer's entry is dead and goes";
}

TEST(Entries, OfAMoveThatMayStillComeKeepTheirQueueAlive) {
  Tapes tapes;
  const SegmentAt source = tapes.source();
  const auto entry = summarize(kSource, source.version, source.segment);
  announce(tapes.store, kOther, std::span(&entry, 1)).value();
  EXPECT_EQ(tidy_queue(tapes.store, kOther).value(), 1u);
  EXPECT_EQ(tapes.contents(), (Contents{{kBroken, {1, 2, 3, 4}}}));
  // And then it comes.
  tapes.store.run(std::vector{owner_write(kSource, source.version, source.segment, kOther)}).front().value();
  EXPECT_EQ(tapes.contents(), (Contents{{kOther, {1, 2, 3, 4}}}));
}

// Taken by a drive, and put back by its collector before the drive dropped its entry: two entries, both live.
stored::Queue::Pointer take_and_put_back(Tapes& tapes) {
  stored::Queue::Pointer entry_of_the_drive = read_queue(tapes.store, kBroken).value()->pointers(0);
  const SegmentAt there = tapes.source();
  tapes.store.run(std::vector{owner_write(kSource, there.version, there.segment, agents::AgentId{"drive", 9})}).front().value();
  const SegmentAt orphan = tapes.source();
  const WholeMove back{kSource, orphan.version, orphan.segment, kBroken};
  EXPECT_EQ(move_whole(tapes.store, std::span(&back, 1)).value().front(), Moved::kDone);
  return entry_of_the_drive;
}

TEST(Entries, OfATakerThatWakesIsNotTheOneOfWhoPutTheSegmentBack) {
  Tapes tapes;
  const auto mine = take_and_put_back(tapes);
  edit_queue(tapes.store, kBroken, [&](stored::Queue& queue) -> Result<Edited> {
    EXPECT_TRUE(drop_entry(queue, kSource, ports::Version{mine.expects()}));
    return Edited::kWrite;
  }).value();
  EXPECT_EQ(tapes.contents(), (Contents{{kBroken, {1, 2, 3, 4}}}));
}

TEST(Entries, ThatAreLiveTwiceAreTidiedToOne) {
  Tapes tapes;
  take_and_put_back(tapes);
  EXPECT_EQ(read_queue(tapes.store, kBroken).value()->pointers_size(), 2);
  EXPECT_EQ(tidy_queue(tapes.store, kBroken).value(), 1u);
  EXPECT_EQ(tapes.contents(), (Contents{{kBroken, {1, 2, 3, 4}}}));
}

TEST(Splits, SendEachPartToItsQueueAndKeepTheRest) {
  Tapes tapes;
  EXPECT_EQ(tapes.divide(tapes.store).value(), Moved::kDone);
  EXPECT_EQ(tapes.contents(), (Contents{{kBroken, {4}}, {kOther, {1, 2}}, {kThird, {3}}}));
  const auto forwarded = tapes.source().segment.forwarded();
  ASSERT_EQ(forwarded.size(), 2);
  EXPECT_EQ(forwarded[0].child(), object_name(kChildA).str());
  EXPECT_EQ(forwarded[0].ordinals_size(), 2);
}

TEST(Splits, OfAllRequestsLeaveForwardingThatBelongsToNobody) {
  Tapes tapes;
  Split wanted = tapes.halves(tapes.source());
  wanted.parts[1].requests.push_back(wanted.after.requests(0));
  wanted.after.clear_requests();
  EXPECT_EQ(split(tapes.store, std::span(&wanted, 1)).value().front().moved, Moved::kDone);
  EXPECT_EQ(tapes.contents(), (Contents{{kOther, {1, 2}}, {kThird, {3, 4}}}));
  EXPECT_EQ(tapes.source().segment.owner(), "");
  EXPECT_EQ(tidy_queue(tapes.store, kBroken).value(), 0u);
}

TEST(Splits, ThatOneDestinationRefusesMoveNothing) {
  Tapes tapes;
  edit_queue(tapes.store, kThird, [](stored::Queue& queue) -> Result<Edited> {
    queue.mutable_reservation()->set_agent("agent/cleaner@4");
    return Edited::kWrite;
  }).value();
  EXPECT_EQ(tapes.divide(tapes.store).value(), Moved::kRefused);
  EXPECT_EQ(tapes.contents(), (Contents{{kBroken, {1, 2, 3, 4}}}));
  EXPECT_FALSE(read_segment(tapes.store, kChildA).value().has_value());
}

// Traps (a) and (e): a sender that is slow between its children and its commit, and somebody who takes them for garbage meanwhile.
TEST(Splits, WhoseChildrenWereDiscardedCannotCommit) {
  Tapes tapes;
  const Split wanted = tapes.halves(tapes.source());
  for (const Part& part : wanted.parts) {
    stored::Segment child;
    child.set_owner(object_name(kSource).str());
    child.set_origin(object_name(kSource).str());
    for (const auto& one : part.requests) *child.add_requests() = one;
    tapes.store.create(object_name(part.id), encode(part.id, child)).value();
    EXPECT_TRUE(discard_child(tapes.store, part.id).value());
  }
  const auto late = tapes.store.replace(object_name(kSource), wanted.at, encode(kSource, wanted.after));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind, Error::Kind::kConflict);
  EXPECT_EQ(tapes.contents(), (Contents{{kBroken, {1, 2, 3, 4}}}));
}

TEST(Splits, ChildrenThatAreNamedAreNoGarbage) {
  Tapes tapes;
  EXPECT_EQ(tapes.divide(tapes.store).value(), Moved::kDone);
  EXPECT_FALSE(discard_child(tapes.store, kChildA).value());
  EXPECT_EQ(finish_splits(tapes.store, kSource).value(), 0u);
}

using Work = Result<Moved> (*)(Tapes&, ports::ObjectStore&);

// False: the fault lies beyond the last call.
bool run_into(sim::Fault fault, Tapes& tapes, Work work, std::uint64_t seed, std::string& told, const char* who) {
  sim::FaultyStore faulty(tapes.store, fault, seed);
  try {
    (void)work(tapes, faulty);
  } catch (const sim::Crash&) {
  }
  told += std::string(who) + " is " + in_words(fault);
  return fault.happened;
}

// Stopped at `first`, and its successor at each of its own calls. Answers how many runs that were; 0 if `first` lies beyond the last call.
int crash_twice(Work work, const sim::Fault& first) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    bool is_reached = true;
    for (int at = 0; is_reached && !testing::Test::HasFailure(); ++at, ++runs) {
      Tapes tapes;
      std::string told;
      if (!run_into(first, tapes, work, static_cast<std::uint64_t>(runs), told, "a mover")) return 0;
      is_reached = run_into({at, outcome}, tapes, work, static_cast<std::uint64_t>(runs), told, "its successor");
      tapes.recover();
      tapes.expect_each_once(told);
    }
  }
  return runs;
}

int crash_everywhere(Work work) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    for (int at = 0, more = 1; more > 0 && !testing::Test::HasFailure(); ++at) runs += more = crash_twice(work, {at, outcome});
  }
  return runs;
}

TEST(MovesUnderCrashes, LeaveEveryRequestInOnePlace) {
  const int whole = crash_everywhere([](Tapes& tapes, ports::ObjectStore& through) { return tapes.move(through, kOther); });
  const int parts = crash_everywhere([](Tapes& tapes, ports::ObjectStore& through) { return tapes.divide(through); });
  std::printf("crash points: moves: %d pairs of a whole move, %d of a split\n", whole, parts);
}

}  // namespace
}  // namespace reclaim::archive
