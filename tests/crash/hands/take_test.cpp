#include "archive/take.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "adapters/objects_memory/memory_store.hpp"
#include "archive/quarantine.hpp"
#include "archive/store_check.hpp"
#include "crash/hands/hands.hpp"

namespace reclaim::archive {
namespace {

using samples::AtWork;
using samples::Interrupted;
using samples::put_into;

const QueueId kQueue{Vid("V1"), QueueType::kToTransfer};
const QueueId kReports{Vid("V1"), QueueType::kToReport};
const QueueId kOther{Vid("V2"), QueueType::kToTransfer};

SegmentId id(std::uint64_t number) { return {.epoch = 1000, .number = number}; }

std::vector<stored::Queue::Pointer> all(const stored::Queue& queue) { return {queue.pointers().begin(), queue.pointers().end()}; }
std::vector<stored::Queue::Pointer> first(const stored::Queue& queue) {
  return queue.pointers().empty() ? std::vector<stored::Queue::Pointer>() : std::vector{queue.pointers(0)};
}

class Take : public testing::Test {
 protected:
  void reserve(const QueueId& queue, const std::string& agent) {
    edit_queue(store, queue, [&](stored::Queue& there) -> Result<Edited> {
      there.mutable_reservation()->set_agent(agent);
      return Edited::kWrite;
    }).value();
  }
  std::set<std::uint64_t> taken(const TakenSegments& from) {
    std::set<std::uint64_t> numbers;
    for (const SegmentAt& segment : from.segments) {
      EXPECT_TRUE(segment.is_owned_by(drive.hand.owner()));
      EXPECT_EQ(read_segment(store, segment.id).value().value().version, segment.version);
      numbers.insert(segment.id.number);
    }
    return numbers;
  }
  void expect_sound() {
    for (const Finding& finding : check_store(store).value().findings) {
      EXPECT_TRUE(finding.kind == Finding::Kind::kDamaged) << name_of(finding.kind) << ": " << finding.sentence;
    }
  }
  bool is_held(std::uint64_t number) { return drive.agent->owned().contains(object_name(id(number))); }

  objects_memory::MemoryStore store;
  AtWork drive{store};
};

TEST_F(Take, TakesWhatIsChosenAndDropsItsEntries) {
  put_into(store, kQueue, id(1), {1, 2});
  put_into(store, kQueue, id(2), {1});
  const TakenSegments one = take(drive.hand, kQueue, first).value();
  EXPECT_EQ(taken(one), (std::set<std::uint64_t>{1}));
  EXPECT_TRUE(is_held(1));
  EXPECT_FALSE(is_held(2));
  EXPECT_EQ(read_queue(store, kQueue).value().value().pointers_size(), 1);
  EXPECT_EQ(taken(take(drive.hand, kQueue, all).value()), (std::set<std::uint64_t>{2}));
  EXPECT_FALSE(read_queue(store, kQueue).value().has_value()) << "a queue with nothing in it goes";
  EXPECT_TRUE(take(drive.hand, kQueue, all).value().segments.empty());
  expect_sound();
}

TEST_F(Take, AQueueUnderCleanupGivesNothingButToItsCleaner) {
  put_into(store, kQueue, id(1), {1});
  put_into(store, kReports, id(2), {1});
  reserve(kQueue, "agent/cleaner@4");
  reserve(kReports, "agent/cleaner@4");
  const Choose never = [](const stored::Queue&) -> std::vector<stored::Queue::Pointer> {
    return ADD_FAILURE(), std::vector<stored::Queue::Pointer>();
  };
  EXPECT_TRUE(take(drive.hand, kQueue, never).value().segments.empty());
  EXPECT_TRUE(take(drive.hand, kReports, never).value().segments.empty());
  reserve(kQueue, drive.hand.id().str());
  EXPECT_EQ(taken(take(drive.hand, kQueue, all).value()), (std::set<std::uint64_t>{1}));
  EXPECT_TRUE(read_queue(store, kQueue).value().has_value()) << "its reservation is not the taker's to remove";
}

TEST_F(Take, AMoveOnItsWayHidesNothingBehindIt) {
  put_into(store, kOther, id(1), {1});
  const SegmentAt moving = read_segment(store, id(1)).value().value();
  const auto entry = summarize(id(1), moving.version, moving.segment);
  announce(store, kQueue, std::span(&entry, 1)).value();
  put_into(store, kQueue, id(2), {1});
  EXPECT_EQ(taken(take(drive.hand, kQueue, first).value()), (std::set<std::uint64_t>{2}));
  EXPECT_EQ(read_queue(store, kQueue).value().value().pointers_size(), 1) << "it may still come";
  EXPECT_TRUE(take(drive.hand, kQueue, first).value().segments.empty());
}

TEST_F(Take, DeadEntriesThatAreMetGo) {
  put_into(store, kQueue, id(1), {1});
  auto gone = read_queue(store, kQueue).value().value().pointers(0);
  gone.set_segment("segment/1000-77");
  announce(store, kQueue, std::span(&gone, 1)).value();
  EXPECT_EQ(taken(take(drive.hand, kQueue, all).value()), (std::set<std::uint64_t>{1}));
  EXPECT_FALSE(read_queue(store, kQueue).value().has_value());
}

TEST_F(Take, ASegmentWithTwoLiveEntriesIsTakenOnce) {
  auto entry = put_into(store, kQueue, id(1), {1});
  const SegmentAt there = read_segment(store, id(1)).value().value();
  const auto written = store.replace(object_name(id(1)), there.version, encode(id(1), there.segment)).value();
  entry.set_expects(written.number);
  announce(store, kQueue, std::span(&entry, 1)).value();
  EXPECT_EQ(take(drive.hand, kQueue, all).value().segments.size(), 1U);
  EXPECT_FALSE(read_queue(store, kQueue).value().has_value());
}

TEST_F(Take, WhatNobodyCanReadIsSetAsideAndItsNeighboursAreTaken) {
  for (const std::uint64_t number : {1U, 2U, 3U}) put_into(store, kQueue, id(number), {1});
  store.replace(object_name(id(2)), read_segment(store, id(2)).value().value().version, "garbage").value();
  const TakenSegments found = take(drive.hand, kQueue, all).value();
  EXPECT_EQ(taken(found), (std::set<std::uint64_t>{1, 3}));
  EXPECT_EQ(found.problems, (std::vector<std::string>{"segment/1000-2: object segment/1000-2: not an object of Reclaim's, or cut off",
                                                      "segment/1000-2: set aside as damaged/1000-2"}));
  EXPECT_FALSE(read_queue(store, kQueue).value().has_value());
  EXPECT_FALSE(read_segment(store, id(2)).value().has_value());
  const auto damaged = decode_damaged(id(2), store.read(damaged_name(id(2))).value().bytes).value();
  EXPECT_EQ(damaged.content(), "garbage");
  expect_sound();
}

TEST_F(Take, WhatSomebodyElseIsQuickerToTakeIsHisAlone) {
  int calls = 0;
  for (bool more = true; more; ++calls) {
    objects_memory::MemoryStore shared;
    AtWork quick(shared, "drive-2");
    put_into(shared, kQueue, id(1), {1});
    put_into(shared, kQueue, id(2), {1});
    std::size_t quicker = 0;
    Interrupted slowed(shared, calls + 2, [&] { quicker = take(quick.hand, kQueue, first).value().segments.size(); });
    AtWork slow(slowed, "drive-1");
    const TakenSegments found = take(slow.hand, kQueue, all).value();
    more = slowed.has_happened();
    EXPECT_EQ(found.segments.size() + quicker, 2U) << "before call " << calls;
    EXPECT_EQ(slow.agent->owned().size(), found.segments.size());
    for (const Finding& finding : check_store(shared).value().findings) ADD_FAILURE() << name_of(finding.kind) << ": " << finding.sentence;
  }
  EXPECT_GT(calls, 5);
}

TEST_F(Take, NoMoreAtOnceThanTheLimit) {
  for (std::uint64_t number = 1; number <= kTakeMax + 1; ++number) put_into(store, kQueue, id(number), {1});
  EXPECT_EQ(take(drive.hand, kQueue, all).value().segments.size(), kTakeMax);
  EXPECT_EQ(take(drive.hand, kQueue, all).value().segments.size(), 1U);
}

TEST_F(Take, SettingAsideTwiceIsAsGoodAsOnce) {
  put_into(store, kQueue, id(1), {1});
  store.replace(object_name(id(1)), read_segment(store, id(1)).value().value().version, "garbage").value();
  const ports::Object found = store.read(object_name(id(1))).value();
  EXPECT_TRUE(quarantine(store, id(1), found, "why").ok());
  EXPECT_TRUE(quarantine(store, id(1), found, "why").ok());
  store.create(object_name(id(1)), "again").value();
  const Status late = quarantine(store, id(1), found, "why");
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind, Error::Kind::kConflict) << "what is there is another than was read";
}

}  // namespace
}  // namespace reclaim::archive
