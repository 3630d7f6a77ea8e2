// Passes of the archive over what is left of long ago: the sweep, the ledger, what has ended, queues that cannot be read, and a store that
// was put back from a backup.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agents/epochs.hpp"
#include "agents/restored.hpp"
#include "archive/files.hpp"
#include "archive/ledger.hpp"
#include "archive/mounts.hpp"
#include "crash/pairs/story.hpp"

namespace reclaim::test {
namespace {

using sim::must;

const agents::AgentId kGone{"gone", 999};  // never registered: as one that was collected long ago

constexpr SegmentId segment_of(std::uint64_t number) { return {80, number}; }
constexpr SegmentId kNowhere{80, 99};
constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kNow = 1'764'000'000'000;

void nothing_more(ArchiveWorld&, Process&) {}

struct Leftovers : ArchiveWorld {
  Leftovers() {
    put(segment_of(1), to_transfer("V1"), {request(1, {"V1", "V2"})});
    owned_by(segment_of(2), kGone);
    record(segment_of(3), segment_of(3), {kNowhere});
    record(segment_of(4), segment_of(4), {kNowhere, segment_of(1)});
    record(segment_of(5), segment_of(3), {segment_of(2)});
    index(segment_of(3), {segment_of(1)});  // further on than the record that has not been settled
    index(segment_of(6), {kNowhere});
    index(segment_of(7), {kNowhere, segment_of(1)});
    reserve(to_transfer("V1"));
    reserve(to_report("V3"));
    stored::Mount mounted;
    mounted.set_agent(kGone.str());
    mounted.set_drive("D1");
    must(store.create(mount_name(Vid("V4")), encode(Vid("V4"), mounted)));
    ask("V1", TapeState::kBroken);
  }

  void owned_by(const SegmentId& id, const Owner& owner) {
    stored::Segment segment;
    segment.set_owner(object_name(owner).str());
    segment.set_origin(object_name(id).str());
    *segment.add_requests() = request(1, {"V2"});
    must(store.create(object_name(id), encode(id, segment)));
  }
  void record(const SegmentId& id, const SegmentId& origin, const std::vector<SegmentId>& children) {
    stored::Segment segment;
    segment.set_origin(object_name(origin).str());
    for (std::uint32_t i = 0; i < children.size(); ++i) {
      auto& forwarding = *segment.add_forwarded();
      forwarding.set_child(object_name(children[i]).str());
      forwarding.set_queue(object_name(to_transfer("V2")).str());
      forwarding.add_ordinals(i + 1);
    }
    must(store.create(object_name(id), encode(id, segment)));
  }
  void index(const SegmentId& origin, const std::vector<SegmentId>& segments) {
    stored::Index index;
    for (std::uint32_t i = 0; i < segments.size(); ++i) {
      auto& place = *index.add_places();
      place.set_segment(object_name(segments[i]).str());
      place.add_ordinals(i + 1);
    }
    must(store.create(index_name(origin), encode(origin, index)));
  }
  void reserve(const QueueId& id) {
    must(edit_queue(store, id, [](stored::Queue& queue) -> Result<Edited> {
      queue.mutable_reservation()->set_agent(kGone.str());
      return Edited::kWrite;
    }));
  }

  void expect_final(const std::string& where) {
    EXPECT_EQ(all_requests(), (Ids{{segment_of(1), 1}, {segment_of(2), 1}})) << where;
    EXPECT_EQ(state_of("V1"), TapeState::kBroken) << where;
    EXPECT_TRUE(must(list_mounts(store)).empty()) << where;
    EXPECT_EQ(store.read(object_name(segment_of(3))).ok(), false) << where;
    EXPECT_EQ(store.read(index_name(segment_of(6))).ok(), false) << where;
  }
};

TEST(CrashTwice, OfSweepsLosesNothing) {
  const auto clean_and_sweep = [](Leftovers&, ports::Database& database, ports::ObjectStore& store) {
    const auto agent = agents::Agent::register_as(store, "first", "maintenance");
    if (!agent.ok()) return;
    Hand hand(store, *agent.value());
    const auto context = [&]() -> Context { return {database, {kNow}, "test"}; };
    ArchiveEstate estate(hand, context);
    Sweep sweep(hand, estate);
    (void)clean_up(context(), hand, estate, Process::kBudget);
    for (int pass = 0; pass < 3; ++pass) (void)sweep.run(Process::kBudget);
  };
  crash_in_every_way<Leftovers>({"sweeps", clean_and_sweep, nothing_more}, 10);
}

// A drive died with names on its list of what others own by now, and of what nobody does.
struct Listed : Leftovers {
  Listed() {
    Process drive(*database, store, "drive");
    record(segment_of(8), segment_of(8), {});
    const agents::AgentId other{"other", 998};
    owned_by(segment_of(9), other);
    drive.hand.hold({object_name(segment_of(8)), object_name(segment_of(9)), object_name(segment_of(5))}).value();
  }

  void expect_final(const std::string& where) {
    EXPECT_EQ(all_requests(), (Ids{{segment_of(1), 1}, {segment_of(2), 1}, {segment_of(9), 1}})) << where;
    EXPECT_EQ(must(store.list_all("agent")).size(), 1U) << where;
  }
};

TEST(CrashTwice, OfThoseWhoSettleListsLosesNothing) {
  const auto collect = [](Listed&, ports::Database& database, ports::ObjectStore& store) {
    const auto agent = agents::Agent::register_as(store, "first", "maintenance");
    if (!agent.ok()) return;
    Hand hand(store, *agent.value());
    ArchiveEstate estate(hand, [&]() -> Context { return {database, {kNow}, "test"}; });
    agents::Takeover takeover(store, *agent.value(), estate, Process::kTimeout);
    for (int look = 0; look < 5; ++look) {
      (void)agent.value()->heart().beat().ok();
      (void)takeover.run(Instant{1000} + Process::kTimeout / 3 * look, Process::kBudget);
    }
  };
  crash_in_every_way<Listed>({"lists", collect, nothing_more}, 10);
}

// Some requests are there, some have ended, some of them two days ago (C1).
struct Books : ArchiveWorld {
  Books() {
    stored::Request cancelled = request(1, {"V1"});
    cancelled.set_cancel_asked(true);
    put(segment_of(1), to_transfer("V1"), {cancelled, request(2, {"V1"})});
    end(segment_of(2), kNow - 2 * kDay);
    end(segment_of(3), kNow);
    end(segment_of(1), kNow);  // and not left out of its segment yet
  }
  void end(const SegmentId& origin, std::int64_t at_ms) {
    const std::vector<Ended> ended{{.id = {origin, 1}, .how = Ending::kCancelled, .reported = false, .request = request(1, {"V1"})}};
    must(record_ended({*database, {at_ms}, "test"}, ended));
  }

  void expect_final(const std::string& where) {
    const TakenLedger taken = must(take_ledger(context(), store));
    EXPECT_TRUE(taken.is_settled) << where;
    EXPECT_EQ(taken.ledger.unaccounted(), 0) << where;
    EXPECT_EQ(taken.ledger.enqueued, 4) << where;
    EXPECT_EQ(taken.ledger.cancelled + taken.ledger.queued, 4) << where;
  }
};

TEST(CrashTwice, OfThoseWhoKeepTheLedgerLosesNothing) {
  const auto keep = [](Books&, ports::Database& database, ports::ObjectStore& store) {
    const Context context{database, {kNow}, "test"};
    (void)keep_ledger(context, store);
    (void)prune_ended(context, {kNow - kDay}, 100, 100);
  };
  crash_in_every_way<Books>({"ledgers", keep, nothing_more, keep}, 10);
}

// Two queues that cannot be read, one of which has requests, and a segment. Somebody set the segment aside before, and got no further.
struct Unreadable : ArchiveWorld {
  Unreadable() {
    put(segment_of(1), to_transfer("V1"), {request(1, {"V1"})});
    must(edit_queue(store, to_transfer("V2"), [](stored::Queue& queue) -> Result<Edited> {
      queue.mutable_reservation()->set_agent(kGone.str());
      return Edited::kWrite;
    }));
    put(segment_of(2), to_transfer("V3"), {request(1, {"V3"})});
    for (const ports::ObjectName& name : {object_name(to_transfer("V1")), object_name(to_transfer("V2")), object_name(segment_of(2))}) {
      must(store.replace(name, must(store.read(name)).version, "rubbish"));
    }
    must(store.create(damaged_name(segment_of(2)), "rubbish of another time"));
  }

  void expect_final(const std::string& where) {
    EXPECT_EQ(all_requests(), (Ids{{segment_of(1), 1}})) << where;
    EXPECT_EQ(must(store.list_all("queue")), std::vector<std::string>{"V1.t"}) << where;
    EXPECT_EQ(must(store.list_all("damaged")).size(), 3U) << where << ": everything that was unreadable is kept";
  }
};

TEST(CrashTwice, OfThoseWhoSetAsideLosesNothing) {
  const auto mend = [](Unreadable&, ports::Database& database, ports::ObjectStore& store) {
    const auto agent = agents::Agent::register_as(store, "first", "maintenance");
    if (!agent.ok()) return;
    Hand hand(store, *agent.value());
    ArchiveEstate estate(hand, [&]() -> Context { return {database, {kNow}, "test"}; });
    Sweep sweep(hand, estate);
    for (int pass = 0; pass < 2; ++pass) (void)sweep.run(Process::kBudget);
  };
  crash_in_every_way<Unreadable>({"what cannot be read", mend, nothing_more}, 10);
}

// Two agents were at work when the copy was made.
struct PutBack : ArchiveWorld {
  PutBack() {
    put(segment_of(1), to_transfer("V1"), {request(1, {"V1"})});
    for (const char* name : {"one", "another"}) {
      Process of_then(*database, store, name);
      of_then.hand.hold({object_name(segment_of(1))}).value();
    }
  }

  void expect_final(const std::string& where) {
    EXPECT_GT(must(agents::draw_epoch(store)), kEpoch) << where;
    EXPECT_EQ(must(store.list_all("agent")).size(), 1U) << where << ": those of then are collected";
    EXPECT_EQ(all_requests(), (Ids{{segment_of(1), 1}})) << where;
  }
  static constexpr std::uint64_t kEpoch = 1'000'000;
};

TEST(CrashTwice, OfThoseWhoPutAStoreBackLosesNothing) {
  const auto begin = [](PutBack&, ports::Database&, ports::ObjectStore& store) { (void)agents::begin_anew(store, PutBack::kEpoch); };
  const auto again = [](PutBack& put_back, Process& last) {
    EXPECT_TRUE(agents::begin_anew(put_back.store, PutBack::kEpoch).ok()) << "whoever restores does it again until it is done";
    EXPECT_FALSE(last.agent->heart().beat().ok());
    Process later(*put_back.database, put_back.store, "later");
    (void)later.run_all();
  };
  crash_in_every_way<PutBack>({"stores that were put back", begin, again}, 10);
}

}  // namespace
}  // namespace reclaim::test
