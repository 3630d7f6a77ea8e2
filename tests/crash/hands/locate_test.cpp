#include "archive/locate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <set>

#include "adapters/objects_memory/memory_store.hpp"
#include "archive/move.hpp"
#include "archive/quarantine.hpp"
#include "archive/split.hpp"
#include "archive/store_check.hpp"
#include "crash/hands/hands.hpp"
#include "sim/counting_store.hpp"
#include "sim/faulty_store.hpp"
#include "support/told.hpp"

namespace reclaim::archive {
namespace {

using Ordinals = std::set<std::uint32_t>;
using Parts = std::map<QueueId, Ordinals>;

const QueueId kFirst{Vid("V1"), QueueType::kToTransfer};
const QueueId kSecond{Vid("V2"), QueueType::kToTransfer};
const QueueId kThird{Vid("V3"), QueueType::kToTransfer};
const SegmentId kOrigin{1000, 1};

// Six requests that were enqueued together, and what becomes of them.
class Story {
 public:
  Story() { samples::put_into(store, kFirst, kOrigin, {1, 2, 3, 4, 5, 6}); }

  SegmentId fresh() { return {.epoch = 1000, .number = ++drawn_}; }

  // Those parts of the segment go, if it has them still, and are not settled. Answers the children, in the parts' order.
  Result<std::vector<SegmentId>> divide(ports::ObjectStore& through, const SegmentId& from, const Parts& parts) {
    const auto found = TRY(read_segment(through, from));
    if (!found) return std::vector<SegmentId>();
    Split wanted{.source = from, .at = found->version, .after = found->segment, .parts = {}};
    wanted.after.clear_requests();
    Ordinals going;
    std::vector<SegmentId> children;
    for (const auto& [queue, ordinals] : parts) {
      children.push_back(fresh());
      wanted.parts.push_back({.id = children.back(), .to = queue, .requests = {}});
      for (const std::uint32_t ordinal : ordinals) wanted.parts.back().requests.push_back(samples::waiting(ordinal, queue));
      going.insert(ordinals.begin(), ordinals.end());
    }
    for (const auto& request : found->segment.requests()) {
      if (going.erase(request.ordinal()) == 0) *wanted.after.add_requests() = request;
    }
    if (!going.empty()) return std::vector<SegmentId>();
    TRY(split(through, std::span(&wanted, 1)));
    return children;
  }

  // The request has ended, and is left out of its segment.
  Status leave_out(ports::ObjectStore& through, std::uint32_t ordinal) {
    const auto found = TRY(locate(through, {kOrigin, ordinal}));
    if (!found) return done();
    stored::Segment after = found->segment->segment;
    after.mutable_requests()->DeleteSubrange(found->place, 1);
    const ports::ObjectName name = object_name(found->segment->id);
    if (after.requests().empty() && after.forwarded().empty()) return through.remove(name, found->segment->version);
    return TRY(through.replace(name, found->segment->version, encode(found->segment->id, after))), done();
  }

  std::optional<SegmentId> where(std::uint32_t ordinal) {
    const auto found = locate(store, {kOrigin, ordinal}).value();
    if (!found) return std::nullopt;
    EXPECT_EQ(found->request().ordinal(), ordinal);
    return found->segment->id;
  }

  std::vector<SegmentId> segments() {
    const std::vector<std::string> keys = store.list_all("segment").value();
    std::vector<SegmentId> ids;
    ids.reserve(keys.size());
    for (const std::string& key : keys) ids.push_back(parse_segment_name("segment/" + key).value());
    return ids;
  }

  // What whoever comes after a crash does.
  void recover() {
    for (const SegmentId& id : segments()) finish_splits(store, id).value();
    for (const SegmentId& id : segments()) {
      const auto found = read_segment(store, id).value();
      const bool is_pending = found && found->segment.owner().starts_with("segment/");
      EXPECT_EQ(is_pending, discard_child(store, id).value());
      settle_forwarding(store, id).value();
    }
  }

  // A1, A2: each of these is there, once, and is found.
  void expect_found(const Ordinals& ordinals) {
    const StoreReport report = check_store(store).value();
    for (const Finding& finding : report.findings)
      EXPECT_TRUE(is_leftover(finding.kind)) << name_of(finding.kind) << ": " << finding.sentence;
    EXPECT_EQ(report.summary.in_queues[0] + report.summary.moving, ordinals.size());
    for (std::uint32_t ordinal = 1; ordinal <= 6; ++ordinal) EXPECT_EQ(where(ordinal).has_value(), ordinals.contains(ordinal)) << ordinal;
  }

  std::int64_t most_reads() {
    std::int64_t most = 0;
    for (std::uint32_t ordinal = 1; ordinal <= 6; ++ordinal) {
      sim::CountingStore counting(store);
      if (locate(counting, {kOrigin, ordinal}).value()) most = std::max(most, counting.cost().count());
    }
    return most;
  }

  objects_memory::MemoryStore store;

 private:
  std::uint64_t drawn_ = 1;
};

const Ordinals kAll = {1, 2, 3, 4, 5, 6};

// Splits one after the other, each settled, and a whole move in between; what was done already is left as it is.
Status go_far(Story& story, ports::ObjectStore& through) {
  const auto step = [&](std::uint32_t ordinal, const Parts& parts) -> Status {
    const auto found = TRY(locate(through, {kOrigin, ordinal}));
    TRY(story.divide(through, found->segment->id, parts));
    TRY(settle_forwarding(through, found->segment->id));
    return done();
  };
  TRY(step(1, {{kSecond, {1, 2, 3}}}));
  TRY(step(1, {{kThird, {1, 2}}}));
  const auto found = TRY(locate(through, {kOrigin, 1}));
  if (found->segment->is_owned_by(kThird)) {
    stored::Segment after = found->segment->segment;
    for (auto& request : *after.mutable_requests()) request = samples::waiting(request.ordinal(), kFirst);
    const WholeMove back{.id = found->segment->id, .at = found->segment->version, .after = after, .to = kFirst};
    TRY(move_whole(through, std::span(&back, 1)));
  }
  TRY(step(1, {{kSecond, {1}}, {kThird, {2}}}));
  TRY(step(4, {{kSecond, {4}}, {kThird, {5, 6}}}));
  TRY(step(5, {{kFirst, {6}}}));
  return done();
}

TEST(Locate, FindsARequestWithThreeReadsHoweverFarItWent) {
  Story story;
  EXPECT_EQ(story.where(6), kOrigin);
  EXPECT_LE(story.most_reads(), 3);
  go_far(story, story.store).value();
  story.expect_found(kAll);
  EXPECT_LE(story.most_reads(), 3);
}

TEST(Locate, FollowsForwardingThatNobodyHasSettledYet) {
  Story story;
  const SegmentId first = story.divide(story.store, kOrigin, {{kSecond, {1, 2}}}).value().front();
  const SegmentId second = story.divide(story.store, first, {{kThird, {1}}}).value().front();
  const SegmentId third = story.divide(story.store, second, {{kFirst, {1}}}).value().front();
  EXPECT_EQ(story.where(1), third);
  EXPECT_EQ(story.where(2), first);
}

TEST(Locate, ManyAtOnceShareTheirReads) {
  Story story;
  go_far(story, story.store).value();
  const std::vector<RequestId> ids = {{kOrigin, 3}, {kOrigin, 1}, {kOrigin, 9}, {kOrigin, 4}, {kOrigin, 2}};
  sim::CountingStore counting(story.store);
  const auto found = locate_all(counting, ids);
  ASSERT_EQ(found.size(), 5U);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].value().has_value(), i != 2);
    if (i == 2) continue;
    EXPECT_EQ(found[i].value()->request().ordinal(), ids[i].ordinal);
  }
  EXPECT_EQ(counting.cost().count("read segment"), 5) << "the origin and four others";
  EXPECT_EQ(locate_all(story.store, std::vector<RequestId>(kLocateMax + 1)).front().error().kind, Error::Kind::kTooLarge);
}

TEST(Locate, KnowsNothingOfWhatNeverWasAndOfChildrenThatNobodyNames) {
  Story story;
  EXPECT_FALSE(locate(story.store, {{77, 1}, 1}).value().has_value());
  EXPECT_FALSE(locate(story.store, {kOrigin, 7}).value().has_value());
  stored::Segment child = samples::waiting_segment(kOrigin, kSecond, {1});
  child.set_owner(object_name(kOrigin).str());
  story.store.create(object_name(story.fresh()), encode({1000, 2}, child)).value();
  EXPECT_EQ(story.where(1), kOrigin);
}

TEST(Locate, SaysThatWhatLeadsToARequestWasSetAside) {
  Story story;
  const SegmentId child = story.divide(story.store, kOrigin, {{kSecond, {1, 2}}}).value().front();
  EXPECT_TRUE(quarantine(story.store, child, story.store.read(object_name(child)).value(), "why").ok());
  const auto found = locate_all(story.store, std::vector<RequestId>{{kOrigin, 1}, {kOrigin, 3}});
  ASSERT_FALSE(found[0].ok());
  EXPECT_EQ(found[0].error().message, "segment/1000-2, which led to 1000-1-1 or held it, was set aside as damaged/1000-2");
  EXPECT_TRUE(found[1].value().has_value()) << "it is where it was";
}

TEST(Locate, ARequestThatMovesUnderItsEyesIsFound) {
  bool more = true;
  for (int at = 0; more; ++at) {
    Story story;
    const SegmentId first = story.divide(story.store, kOrigin, {{kSecond, {1}}}).value().front();
    samples::Interrupted through(story.store, at, [&] {
      story.divide(story.store, first, {{kThird, {1}}}).value();
      settle_forwarding(story.store, first).value();
    });
    EXPECT_TRUE(locate(through, {kOrigin, 1}).value().has_value()) << "before call " << at;
    more = through.has_happened();
  }
}

TEST(Settling, LeavesWhatStaysAndRemovesWhatIsEmpty) {
  Story story;
  const SegmentId first = story.divide(story.store, kOrigin, {{kSecond, {1, 2}}}).value().front();
  story.divide(story.store, first, {{kThird, {1}}}).value();
  const auto rest = settle_forwarding(story.store, first).value();
  ASSERT_TRUE(rest.has_value());
  EXPECT_TRUE(rest->segment.forwarded().empty());
  EXPECT_EQ(rest->version, read_segment(story.store, first).value().value().version);
  story.divide(story.store, first, {{kThird, {2}}}).value();
  EXPECT_FALSE(settle_forwarding(story.store, first).value().has_value());
  EXPECT_FALSE(read_segment(story.store, first).value().has_value());
  EXPECT_FALSE(settle_forwarding(story.store, first).value().has_value());
  EXPECT_EQ(settle_forwarding(story.store, kOrigin).value()->segment.forwarded_size(), 1) << "an origin's is the index";
  story.expect_found(kAll);
  const auto findings = check_store(story.store).value().findings;
  EXPECT_TRUE(std::ranges::none_of(findings, [](const Finding& finding) { return finding.kind == Finding::Kind::kDanglingRecord; }))
      << "the origin's record of what has gone on is not missed";
}

TEST(Settling, CompletesChildrenBeforeItStopsNamingThem) {
  Story story;
  const SegmentId first = story.divide(story.store, kOrigin, {{kSecond, {1, 2}}}).value().front();
  const SegmentId second = story.divide(story.store, first, {{kThird, {1}}}).value().front();
  const SegmentAt child = read_segment(story.store, second).value().value();
  story.store.run(std::vector{owner_write(second, child.version, child.segment, first)}).front().value();  // as before its flip
  settle_forwarding(story.store, first).value();
  EXPECT_TRUE(read_segment(story.store, second).value()->is_owned_by(kThird));
  story.expect_found(kAll);
}

// A split and its child's split, neither settled; then both are, one in the middle of the other.
TEST(Settling, SideBySideInAnyOrderKeepsTheIndexRight) {
  int runs = 0;
  for (const bool is_chain : {true, false}) {
    for (const bool later_first : {true, false}) {
      bool more = true;
      for (int at = 0; more; ++at, ++runs) {
        Story story;
        const auto both = story.divide(story.store, kOrigin, {{kSecond, {1, 2}}, {kThird, {3, 4}}}).value();
        const SegmentId one = both[0];
        const SegmentId next = story.divide(story.store, one, {{kThird, {1}}}).value().front();
        const SegmentId other = is_chain ? next : both[1];
        story.divide(story.store, other, {{kFirst, {is_chain ? 1U : 3U}}}).value();
        samples::Interrupted through(story.store, at, [&] { settle_forwarding(story.store, later_first ? one : other).value(); });
        settle_forwarding(through, later_first ? other : one).value();
        more = through.has_happened();
        story.expect_found(kAll);
        settle_forwarding(story.store, one).value();
        settle_forwarding(story.store, other).value();
        story.expect_found(kAll);
        EXPECT_LE(story.most_reads(), 3);
      }
    }
  }
  EXPECT_GT(runs, 20);
}

// Found by chance: the settling of a later split took the place that the index named for one ahead of it, because there was nothing there
// any more. The index had just been moved on from it, to the segment that was then removed.
TEST(Settling, OfAnEarlierSplitMeanwhileDoesNotLeaveTheIndexBehind) {
  bool more = true;
  for (int at = 0; more; ++at) {
    Story story;
    std::vector<SegmentId> way = {kOrigin};
    for (int step = 0; step < 4; ++step) way.push_back(story.divide(story.store, way.back(), {{kSecond, {1}}}).value().front());
    settle_forwarding(story.store, way[1]).value();
    samples::Interrupted through(story.store, at, [&] { settle_forwarding(story.store, way[2]).value(); });
    settle_forwarding(through, way[3]).value();
    more = through.has_happened();
    EXPECT_EQ(story.where(1), way[4]) << "before call " << at;
    story.expect_found(kAll);
  }
}

TEST(Forgetting, RemovesWhatLeadsToWhatHasEndedAndAtLastOriginAndIndex) {
  Story story;
  go_far(story, story.store).value();
  Ordinals left = kAll;
  for (const std::uint32_t ordinal : {4U, 1U, 6U, 3U, 2U, 5U}) {
    story.leave_out(story.store, ordinal).value();
    EXPECT_FALSE(story.where(ordinal).has_value());
    forget(story.store, kOrigin, std::vector<std::uint32_t>{ordinal}).value();
    left.erase(ordinal);
    story.expect_found(left);
  }
  EXPECT_TRUE(story.segments().empty());
  EXPECT_TRUE(story.store.list_all("index").value().empty());
  EXPECT_TRUE(forget(story.store, kOrigin, std::vector<std::uint32_t>{1}).ok());
}

using Work = Status (*)(Story&, ports::ObjectStore&);

// The work meets the fault; somebody recovers; the work is done to its end. False: the fault lies beyond the last call.
bool run_into(sim::Fault fault, Work work, const Ordinals& during, const Ordinals& at_last) {
  Story story;
  sim::FaultyStore faulty(story.store, fault, static_cast<std::uint64_t>(fault.at));
  try {
    (void)work(story, faulty);
  } catch (const sim::Crash&) {
  }
  for (const std::uint32_t ordinal : during) EXPECT_TRUE(story.where(ordinal).has_value()) << ordinal << ", call " << fault.at;
  story.recover();
  for (const std::uint32_t ordinal : during) EXPECT_TRUE(story.where(ordinal).has_value()) << ordinal << ", call " << fault.at;
  EXPECT_LE(story.most_reads(), 3);
  work(story, story.store).value();
  story.expect_found(at_last);
  EXPECT_LE(story.most_reads(), 3);
  testing_support::tell_if_failed("who changes the index", fault);
  return fault.happened;
}

int crash_everywhere(Work work, const Ordinals& during, const Ordinals& at_last) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    for (int at = 0; run_into({.at = at, .outcome = outcome}, work, during, at_last) && !testing::Test::HasFailure(); ++at) ++runs;
  }
  return runs;
}

TEST(FindingUnderCrashes, WhatIsThereIsFoundAtEveryPoint) {
  const int moved = crash_everywhere(go_far, kAll, kAll);
  const Work ending = [](Story& story, ports::ObjectStore& through) -> Status {
    if (TRY(locate(through, {kOrigin, 1}))) TRY(story.divide(through, kOrigin, {{kSecond, {1, 2}}, {kThird, {3}}}));
    for (const std::uint32_t ordinal : {1U, 2U, 5U}) TRY(story.leave_out(through, ordinal));
    return forget(through, kOrigin, std::vector<std::uint32_t>{1, 2, 5});
  };
  const int ended = crash_everywhere(ending, {3, 4, 6}, {3, 4, 6});
  std::printf("crash points: finding: %d while it moves, %d while others end\n", moved, ended);
}

// Splits, settlings that come late or not at all, requests that end, each in the middle of another's settling.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}

  void act(int depth = 0) {
    switch (draw(4)) {
      case 0:
      case 1: return divide();
      case 2: return settle(depth);
      default: return end();
    }
  }
  void check() {
    for (std::uint32_t ordinal = 1; ordinal <= 6; ++ordinal) {
      ASSERT_EQ(story.where(ordinal).has_value(), !ended_.contains(ordinal)) << ordinal;
    }
  }
  void finish() {
    for (const SegmentId& id : story.segments()) settle_forwarding(story.store, id).value();
    Ordinals left = kAll;
    for (const std::uint32_t ordinal : ended_) left.erase(ordinal);
    story.expect_found(left);
    EXPECT_LE(story.most_reads(), 3);
  }

  Story story;

 private:
  std::uint32_t draw(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }

  void divide() {
    const std::uint32_t ordinal = draw(6) + 1;
    const auto at = story.where(ordinal);
    if (!at) return;
    const QueueId queues[] = {kFirst, kSecond, kThird};
    Parts parts;
    const SegmentAt found = read_segment(story.store, *at).value().value();
    for (const auto& request : found.segment.requests()) {
      if (request.ordinal() == ordinal || draw(2) == 0) parts[queues[draw(3)]].insert(request.ordinal());
    }
    story.divide(story.store, *at, parts).value();
  }
  void settle(int depth) {
    const std::vector<SegmentId> ids = story.segments();
    if (ids.empty()) return;
    samples::Interrupted through(story.store, static_cast<int>(draw(8)), [&] {
      for (std::uint32_t more = depth < 2 ? draw(4) : 0; more > 0; --more) act(depth + 1);
    });
    settle_forwarding(through, ids[draw(static_cast<std::uint32_t>(ids.size()))]).value();
  }
  void end() {
    const std::uint32_t ordinal = draw(6) + 1;
    if (draw(3) != 0) return;
    story.leave_out(story.store, ordinal).value();
    ended_.insert(ordinal);
    if (draw(2) == 0) forget(story.store, kOrigin, std::vector<std::uint32_t>{ordinal}).value();
  }

  std::mt19937_64 random_;
  Ordinals ended_;
};

TEST(FindingByChance, WhateverMovesEndsAndComesLate) {
  for (std::uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    for (int step = 0; step < 30 && !testing::Test::HasFailure(); ++step) {
      chance.act();
      chance.check();
    }
    chance.finish();
  }
}

}  // namespace
}  // namespace reclaim::archive
