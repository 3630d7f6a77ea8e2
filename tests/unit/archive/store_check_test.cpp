#include "archive/store_check.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/records.hpp"
#include "unit/archive/samples.hpp"

namespace reclaim::archive {
namespace {

using Kind = Finding::Kind;

const QueueId kToTransfer{.vid = Vid("V1"), .type = QueueType::kToTransfer};
const QueueId kOther{.vid = Vid("V2"), .type = QueueType::kToTransfer};
const QueueId kToReport{.vid = Vid("V1"), .type = QueueType::kToReport};
const agents::AgentId kDrive{.name = "drive-1", .epoch = 17};

SegmentId id(std::uint64_t number) { return {.epoch = 17, .number = number}; }
std::string name(std::uint64_t number) { return object_name(id(number)).str(); }

// A store made by hand. What it is given, it writes; the checks are the test's.
class Shelf {
 public:
  ports::ObjectStore& store() { return store_; }

  ports::Version put(const ports::ObjectName& object, const std::string& bytes) {
    const Result<ports::Object> there = store_.read(object);
    return there.ok() ? store_.replace(object, there.value().version, bytes).value() : store_.create(object, bytes).value();
  }
  ports::Version put(std::uint64_t number, const stored::Segment& segment) {
    return put(object_name(id(number)), encode(id(number), segment));
  }
  void put(const QueueId& queue, const stored::Queue& content) { put(object_name(queue), encode(queue, content)); }
  void put(const agents::AgentId& agent, std::initializer_list<std::uint64_t> owned) {
    agents::stored::Agent record;
    record.set_kind("drive");
    for (const std::uint64_t number : owned) record.add_owned(name(number));
    put(agent.object(), agents::encode(agent, record));
  }

  // A queue with pointers as a mover writes them.
  void point(const QueueId& queue, std::initializer_list<std::pair<std::uint64_t, ports::Version>> to) {
    stored::Queue content = empty_queue(queue);
    for (const auto& [number, expects] : to) {
      content.add_pointers()->set_segment(name(number));
      content.mutable_pointers()->rbegin()->set_expects(expects.number);
    }
    put(queue, content);
  }
  void remove(const ports::ObjectName& object) { EXPECT_TRUE(store_.remove(object, store_.read(object).value().version).ok()); }

 private:
  objects_memory::MemoryStore store_;
};

// V1's queue with requests 1 to 3, a drive with one, two that were reported on; and one that has moved to V2 by a split.
void fill(Shelf& shelf) {
  stored::Segment source = samples::segment("queue/V1.t", id(1), {1, 2, 3});
  samples::forward(source, id(2), "queue/V2.t", {4, 5});
  const ports::Version at = shelf.put(1, source);
  stored::Segment moved = samples::segment("queue/V2.t", id(1), {4, 5});
  for (stored::Request& request : *moved.mutable_requests()) request.set_active_copy(1);
  const ports::Version moved_at = shelf.put(2, moved);
  const ports::Version drive_at = shelf.put(3, samples::segment(kDrive.str(), id(3), {1}));
  stored::Segment reports = samples::segment("queue/V1.r", id(4), {1, 2});
  reports.mutable_requests(0)->set_state(stored::Request::TRANSFERRED);
  reports.mutable_requests(1)->set_state(stored::Request::FAILED);
  const ports::Version reports_at = shelf.put(4, reports);
  shelf.point(kToTransfer, {{1, at}});
  shelf.point(kOther, {{2, moved_at}, {3, drive_at}});
  shelf.point(kToReport, {{4, reports_at}});
  shelf.put(kDrive, {3, 99});
  stored::Index index;
  samples::place(index, id(2), {4, 5});
  shelf.put(index_name(id(1)), encode(id(1), index));
}

StoreReport check(Shelf& shelf) { return check_store(shelf.store()).value(); }

// The only finding, by kind; its sentence.
std::string found(Shelf& shelf, Kind kind) {
  const StoreReport report = check(shelf);
  EXPECT_EQ(report.unsettled, 0U);
  std::string sentence;
  for (const Finding& finding : report.findings) {
    EXPECT_EQ(finding.kind, kind) << name_of(finding.kind) << ": " << finding.sentence;
    sentence = finding.sentence;
  }
  EXPECT_EQ(report.findings.size(), 1U);
  return sentence;
}

TEST(StoreCheck, AnEmptyStoreAndASoundOneHaveNoFindings) {
  Shelf empty;
  EXPECT_TRUE(check(empty).findings.empty());
  Shelf shelf;
  fill(shelf);
  const StoreReport report = check(shelf);
  for (const Finding& finding : report.findings) ADD_FAILURE() << name_of(finding.kind) << ": " << finding.sentence;
}

TEST(StoreCheck, RequestsAreCountedByPlaceAndState) {
  Shelf shelf;
  fill(shelf);
  const StoreSummary summary = check(shelf).summary;
  EXPECT_EQ(summary.queues, 3U);
  EXPECT_EQ(summary.segments, 4U);
  EXPECT_EQ(summary.agents, 1U);
  EXPECT_EQ(summary.indexes, 1U);
  EXPECT_EQ(summary.in_queues, (std::array<std::uint64_t, 3>{5, 2, 0}));
  EXPECT_EQ(summary.with_agents, 1U);
  EXPECT_EQ(summary.moving, 0U);
  EXPECT_EQ(summary.queued, 6U);
  EXPECT_EQ(summary.transferred, 1U);
  EXPECT_EQ(summary.failed, 1U);
}

TEST(StoreCheck, AnObjectThatCannotBeReadIsFoundAndWhatDependsOnItIsNot) {
  Shelf shelf;
  fill(shelf);
  shelf.put(object_name(kToTransfer), "garbage");
  EXPECT_EQ(found(shelf, Kind::kUnreadable), "object queue/V1.t: not an object of Reclaim's, or cut off");
}

TEST(StoreCheck, ObjectsUnderNamesThatAreNoneAreFound) {
  Shelf shelf;
  shelf.put({"segment", "01-1"}, "x");
  shelf.put({"queue", "V1"}, "x");
  shelf.put({"index", "x"}, "x");
  shelf.put({"agent", "a@0"}, "x");
  shelf.put({"beat", "a@1"}, "x");
  shelf.put({"root", "root"}, "x");
  const StoreReport report = check(shelf);
  EXPECT_EQ(report.findings.size(), 6U);
  for (const Finding& finding : report.findings) EXPECT_EQ(finding.kind, Kind::kUnreadable) << finding.sentence;
}

TEST(StoreCheck, ARequestThatCannotBeTakenIsFoundUntilItIsWrittenAsFailed) {
  Shelf shelf;
  stored::Segment segment = samples::segment("queue/V1.t", id(1), {1, 2});
  segment.mutable_requests(1)->set_file("no file");
  shelf.point(kToTransfer, {{1, shelf.put(1, segment)}});
  EXPECT_EQ(found(shelf, Kind::kUnreadable), "segment/17-1: request 2: file: must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  shelf.put(1, decode_segment(id(1), shelf.store().read(object_name(id(1))).value().bytes).value().segment);
  EXPECT_TRUE(check(shelf).findings.empty());
}

TEST(StoreCheck, ASegmentWhoseOwnerIsNotThereIsFound) {
  Shelf shelf;
  fill(shelf);
  shelf.remove(object_name(kToTransfer));
  EXPECT_EQ(found(shelf, Kind::kNoOwner), "segment/17-1 belongs to queue/V1.t, which is not there");
  fill(shelf);
  shelf.remove(kDrive.object());
  EXPECT_EQ(found(shelf, Kind::kNoOwner), "segment/17-3 belongs to agent/drive-1@17, which is not there");
}

TEST(StoreCheck, ASegmentThatItsOwnerDoesNotKnowIsFound) {
  Shelf shelf;
  fill(shelf);
  shelf.point(kToTransfer, {});
  EXPECT_EQ(found(shelf, Kind::kStranded), "segment/17-1 belongs to queue/V1.t, which has no pointer to it");
  fill(shelf);
  shelf.put(kDrive, {99});
  EXPECT_EQ(found(shelf, Kind::kUnlisted), "segment/17-3 belongs to agent/drive-1@17, which does not list it");
}

TEST(StoreCheck, APointerAtAnOldVersionIsAsGoodWhileTheSegmentIsTheQueues) {
  Shelf shelf;
  fill(shelf);
  shelf.point(kToTransfer, {{1, {1'000'000}}});
  EXPECT_TRUE(check(shelf).findings.empty());
}

TEST(StoreCheck, ARequestInAQueueThatMayNotHoldItIsFound) {
  Shelf shelf;
  stored::Segment segment = samples::segment("queue/V1.t", id(1), {1, 2});
  segment.mutable_requests(1)->set_active_copy(1);
  shelf.point(kToTransfer, {{1, shelf.put(1, segment)}});
  EXPECT_EQ(found(shelf, Kind::kMisplaced), "segment/17-1 belongs to queue/V1.t, but request 2 is to be read from V2");
  shelf.remove(object_name(kToTransfer));
  shelf.point(kToReport, {{1, shelf.put(1, samples::segment("queue/V1.r", id(1), {1, 2}))}});
  EXPECT_EQ(found(shelf, Kind::kMisplaced), "segment/17-1 belongs to queue/V1.r, but request 1 still waits for its transfer");
}

TEST(StoreCheck, ARequestInTwoPlacesIsFound) {
  Shelf shelf;
  fill(shelf);
  shelf.put(5, samples::segment(kDrive.str(), id(1), {2, 3}));
  shelf.put(kDrive, {3, 5});
  EXPECT_EQ(found(shelf, Kind::kTwice), "17-1-2 and 1 more, in segment/17-1 and in segment/17-5");
}

// The source of a split that has committed, and its child, which its queue expects.
ports::Version begin_flip(Shelf& shelf, std::initializer_list<std::uint32_t> in_child) {
  stored::Segment source = samples::segment("queue/V1.t", id(1), {1});
  samples::forward(source, id(2), "queue/V2.t", {2, 3});
  shelf.point(kToTransfer, {{1, shelf.put(1, source)}});
  const ports::Version at = shelf.put(2, samples::segment("segment/17-1", id(1), in_child));
  shelf.point(kOther, {{2, at}});
  return at;
}

TEST(StoreCheck, AChildOnItsWayIsSoundAndItsRequestsAreMoving) {
  Shelf shelf;
  begin_flip(shelf, {2, 3});
  EXPECT_TRUE(check(shelf).findings.empty());
  EXPECT_EQ(check(shelf).summary.moving, 2U);
}

TEST(StoreCheck, AChildThatDoesNotHoldWhatMovedToItIsFound) {
  Shelf shelf;
  begin_flip(shelf, {3});
  EXPECT_EQ(found(shelf, Kind::kLost), "17-1-2 moved from segment/17-1 to segment/17-2, which does not hold them");
}

TEST(StoreCheck, AChildOnItsWayThatNobodyExpectsIsFoundUnlessAnAgentHasItInHand) {
  Shelf shelf;
  const ports::Version at = begin_flip(shelf, {2, 3});
  shelf.point(kOther, {{2, {at.number + 1000}}});
  StoreReport report = check(shelf);
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].sentence,
            "segment/17-2 is on its way from segment/17-1 to queue/V2.t, which does not expect it, and no agent has it in hand");
  EXPECT_EQ(report.findings[1].kind, Kind::kDeadPointer);
  shelf.remove(object_name(kOther));
  EXPECT_EQ(check(shelf).findings.at(0).kind, Kind::kStranded);
  shelf.put(kDrive, {2});
  EXPECT_TRUE(check(shelf).findings.empty());
}

TEST(StoreCheck, AChildOfASplitThatDidNotCommitIsALeftoverAndHoldsNoRequests) {
  Shelf shelf;
  const ports::Version at = shelf.put(2, samples::segment("segment/17-1", id(1), {2, 3}));
  EXPECT_EQ(found(shelf, Kind::kGarbageChild), "segment/17-2 was to be split from segment/17-1, which is not there");
  shelf.point(kToTransfer, {{1, shelf.put(1, samples::segment("queue/V1.t", id(1), {1, 2, 3}))}});
  shelf.point(kOther, {{2, at}});
  EXPECT_EQ(found(shelf, Kind::kGarbageChild), "segment/17-2 was to be split from segment/17-1, which does not name it");
  EXPECT_EQ(check(shelf).summary.in_queues[0], 3U);
  EXPECT_TRUE(is_leftover(Kind::kGarbageChild));
}

TEST(StoreCheck, APointerIsDeadUnlessItsWriterMayStillCome) {
  Shelf shelf;
  const ports::Version at = shelf.put(1, samples::segment(kDrive.str(), id(1), {1}));
  shelf.put(kDrive, {1});
  shelf.point(kToTransfer, {{1, at}});
  EXPECT_TRUE(check(shelf).findings.empty());
  shelf.put(1, samples::segment(kDrive.str(), id(1), {1}));
  EXPECT_EQ(found(shelf, Kind::kDeadPointer),
            "queue/V1.t has a pointer to segment/17-1 at version 1, which belongs to agent/drive-1@17 at version 4");
  shelf.remove(object_name(id(1)));
  shelf.point(kToTransfer, {{1, at}, {1, {at.number + 1}}});
  EXPECT_EQ(found(shelf, Kind::kDeadPointer), "queue/V1.t has a pointer to segment/17-1 at version 1, which is not there");
}

TEST(StoreCheck, ForwardingAndIndexesThatLeadToNothingAreLeftovers) {
  Shelf shelf;
  stored::Segment forwarding = samples::segment("", id(1), {});
  samples::forward(forwarding, id(2), "queue/V2.t", {1});
  shelf.put(1, forwarding);
  EXPECT_EQ(found(shelf, Kind::kDanglingRecord), "segment/17-1 leads to segment/17-2, which is not there");
  EXPECT_EQ(check(shelf).summary.forwarding_only, 1U);
  shelf.remove(object_name(id(1)));
  stored::Index index;
  samples::place(index, id(2), {1});
  shelf.put(index_name(id(1)), encode(id(1), index));
  EXPECT_EQ(found(shelf, Kind::kDanglingRecord), "index/17-1 leads to segment/17-2, which is not there");
  shelf.put(2, samples::segment(kDrive.str(), id(7), {1}));
  shelf.put(kDrive, {2});
  EXPECT_EQ(found(shelf, Kind::kMisplaced), "index/17-1 leads to segment/17-2, whose requests are of segment/17-7");
}

TEST(StoreCheck, ASegmentThatHoldsNothingIsALeftoverWhoeverOwnedIt) {
  Shelf shelf;
  shelf.put(1, samples::segment("queue/V1.t", id(1), {}));
  EXPECT_EQ(found(shelf, Kind::kEmptySegment), "segment/17-1 holds nothing");
}

TEST(StoreCheck, AReservationOfAnAgentThatIsGoneIsALeftover) {
  Shelf shelf;
  stored::Queue queue = empty_queue(kToTransfer);
  queue.mutable_reservation()->set_agent(kDrive.str());
  shelf.put(kToTransfer, queue);
  EXPECT_EQ(found(shelf, Kind::kDeadReservation), "queue/V1.t is reserved by agent/drive-1@17, which is not there");
  shelf.put(kDrive, {});
  EXPECT_TRUE(check(shelf).findings.empty());
}

TEST(StoreCheck, FindingsAreBoundedAndTheBrokenComeFirst) {
  Shelf shelf;
  shelf.put(1, samples::segment("queue/V1.t", id(1), {1}));
  for (std::uint64_t number = 2; number < kFindingsMax + 12; ++number) shelf.put(number, samples::segment("segment/9-9", id(1), {1}));
  const StoreReport report = check(shelf);
  EXPECT_EQ(report.findings.size(), kFindingsMax + 1);
  EXPECT_EQ(report.findings[0].kind, Kind::kNoOwner);
  EXPECT_EQ(report.more, 10U);
}

// Somebody else does something before every read of some object: the store of a system that runs.
class Busy : public ports::ObjectStore {
 public:
  Busy(ports::ObjectStore& store, ports::ObjectName watched, std::function<void(int)> at_read)
      : store_(store), watched_(std::move(watched)), at_read_(std::move(at_read)) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    for (const ports::StoreCall& call : calls) {
      if (call.name == watched_) at_read_(++reads_);
    }
    return store_.run(calls);
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return store_.list(kind, after, limit);
  }

 private:
  ports::ObjectStore& store_;
  ports::ObjectName watched_;
  std::function<void(int)> at_read_;
  int reads_ = 0;
};

TEST(StoreCheck, WhatMovesWhileItIsLookedAtIsNotReported) {
  Shelf shelf;
  fill(shelf);
  // The drive has been read with its list; then it takes another segment, as the rule of moves wants it.
  Busy busy(shelf.store(), object_name(id(1)), [&](int reads) {
    if (reads > 1) return;
    shelf.put(kDrive, {1, 3});
    shelf.put(1, samples::segment(kDrive.str(), id(1), {1, 2, 3}));
    shelf.point(kToTransfer, {});
  });
  const StoreReport report = check_store(busy).value();
  for (const Finding& finding : report.findings) ADD_FAILURE() << finding.sentence;
  EXPECT_EQ(report.unsettled, 0U);
}

TEST(StoreCheck, WhatNeverRestsIsCounted) {
  Shelf shelf;
  shelf.put(1, samples::segment("queue/V1.t", id(1), {1}));
  Busy busy(shelf.store(), object_name(id(1)), [&](int) { shelf.put(1, samples::segment("queue/V1.t", id(1), {1})); });
  const StoreReport report = check_store(busy).value();
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.unsettled, 1U);
}

TEST(StoreCheck, EachKindHasANameAndTheBrokenAnInvariant) {
  for (int kind = 0; kind <= static_cast<int>(Kind::kDeadReservation); ++kind) {
    EXPECT_FALSE(name_of(static_cast<Kind>(kind)).empty());
    EXPECT_EQ(is_leftover(static_cast<Kind>(kind)), static_cast<Kind>(kind) >= Kind::kGarbageChild);
  }
}

}  // namespace
}  // namespace reclaim::archive
