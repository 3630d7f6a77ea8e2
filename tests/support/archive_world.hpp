// A small archive and its processes of maintenance, each of which may see store and database through decorators that fail.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/database_sqlite/sqlite.hpp"
#include "adapters/objects_memory/memory_store.hpp"
#include "agents/takeover.hpp"
#include "archive/cleanup.hpp"
#include "archive/ended.hpp"
#include "archive/estate.hpp"
#include "archive/queues.hpp"
#include "archive/segments.hpp"
#include "archive/store_check.hpp"
#include "archive/sweep.hpp"
#include "archive/tapes.hpp"
#include "sim/fleet_world.hpp"

namespace reclaim::test {

using namespace archive;  // NOLINT(google-build-using-namespace): a header of tests about that room

inline QueueId to_transfer(const char* vid) { return {Vid(vid), QueueType::kToTransfer}; }
inline QueueId to_report(const char* vid) { return {Vid(vid), QueueType::kToReport}; }

// Of a file with copies on these tapes, queued for the first of them.
inline stored::Request request(std::uint32_t ordinal, const std::vector<const char*>& vids) {
  stored::Request made;
  made.set_ordinal(ordinal);
  made.set_file("f" + std::to_string(ordinal));
  made.set_size(1000);
  made.set_checksum("adler32:0123abcd");
  made.set_destination("out/" + std::to_string(ordinal));
  made.set_round(1);
  for (const char* vid : vids) {
    auto& copy = *made.add_copies();
    copy.set_vid(vid);
    copy.set_fseq(ordinal);
  }
  return made;
}

struct ArchiveWorld {
  // V1 to V4, ACTIVE, without requests.
  ArchiveWorld() {
    for (const char* vid : {"V1", "V2", "V3", "V4"}) {
      sim::must(add_tape(context(), {.vid = Vid(vid), .pool = PoolName("p"), .library = LibraryName("l")}));
    }
  }

  Context context() { return {*database, {1'764'000'000'000}, "test"}; }

  void put(const SegmentId& id, const QueueId& queue, const std::vector<stored::Request>& requests) {
    stored::Segment segment;
    segment.set_owner(object_name(queue).str());
    segment.set_origin(object_name(id).str());
    for (const stored::Request& each : requests) *segment.add_requests() = each;
    const ports::Version version = sim::must(store.create(object_name(id), encode(id, segment)));
    const auto entry = summarize(id, version, segment);
    sim::must(announce(store, queue, std::span(&entry, 1)));
  }

  void ask(const char* vid, TapeState state, const std::string& reason = "torn") {
    sim::must(ask_tape_state(context(), Vid(vid), state, reason));
  }
  TapeState state_of(const char* vid) { return sim::must(find_tape(context(), Vid(vid))).spec.state; }

  // Queue -> its requests as a taker finds them: over live entries.
  std::map<QueueId, std::multiset<RequestId>> contents() {
    std::map<QueueId, std::multiset<RequestId>> found;
    for (const std::string& key : sim::must(store.list_all("queue"))) {
      const QueueId id = sim::must(parse_queue_name("queue/" + key));
      const auto queue = sim::must(read_queue(store, id));
      std::set<std::string> seen;
      for (const auto& entry : queue->pointers()) {
        const auto segment = sim::must(read_segment(store, sim::must(parse_segment_name(entry.segment()))));
        if (!segment || !segment->is_owned_by(id) || !seen.insert(entry.segment()).second) continue;
        const SegmentId origin = sim::must(parse_segment_name(segment->segment.origin()));
        for (const auto& one : segment->segment.requests()) found[id].insert({origin, one.ordinal()});
      }
    }
    return found;
  }
  std::multiset<RequestId> all_requests() {
    std::multiset<RequestId> all;
    for (const auto& [queue, ids] : contents()) all.insert(ids.begin(), ids.end());
    return all;
  }

  std::unique_ptr<ports::Database> database = sim::must(database_sqlite::open_sqlite({}));
  objects_memory::MemoryStore store;
};

// One process: its agent, and the passes under it.
struct Process {
  static constexpr Millis kTimeout{900};
  static constexpr std::size_t kBudget = 100'000;

  Process(ports::Database& the_database, ports::ObjectStore& the_store, const std::string& name)
      : database(the_database),
        agent(sim::must(agents::Agent::register_as(the_store, name, "maintenance"))),
        hand(the_store, *agent),
        estate(hand, [this] { return context(); }),
        takeover(the_store, *agent, estate, kTimeout),
        sweep(hand, estate) {}

  Context context() { return {database, {1'764'000'000'000}, "pass:test"}; }

  Result<CleanupReport> clean() { return clean_up(context(), hand, estate, kBudget); }
  // A third of the timeout goes by.
  Result<agents::TakeoverReport> collect() {
    now = now + kTimeout / 3;
    TRY(agent->heart().beat());
    return takeover.run(now, kBudget);
  }
  // All passes, again and again, until whoever died is collected and everything has come to rest.
  std::vector<std::string> run_all() {
    std::vector<std::string> problems;
    for (int round = 0; round < 12; ++round) {
      const auto add = [&](const auto& report) {
        if (!report.ok()) problems.push_back(report.error().message);
        if (report.ok()) problems.insert(problems.end(), report.value().problems.begin(), report.value().problems.end());
      };
      add(collect());
      add(sweep.run(kBudget));
      add(clean());
    }
    return problems;
  }

  ports::Database& database;
  Instant now{1000};
  std::unique_ptr<agents::Agent> agent;
  Hand hand;
  ArchiveEstate estate;
  agents::Takeover takeover;
  Sweep sweep;
};

// Nothing is broken and nothing is left over.
inline void expect_clean(ArchiveWorld& world, const std::string& where) {
  const StoreReport report = sim::must(check_store(world.store));
  EXPECT_EQ(report.more, 0u);
  for (const Finding& finding : report.findings) ADD_FAILURE() << where << ": " << name_of(finding.kind) << ": " << finding.sentence;
}

inline constexpr SegmentId kWhole{90, 1};
inline constexpr SegmentId kApart{90, 2};
inline constexpr SegmentId kAlone{90, 3};

using Ids = std::multiset<RequestId>;

// V1 is broken. Of its requests some go to V2, some to V3, one has no other copy, and one was cancelled.
struct Broken : ArchiveWorld {
  Broken() {
    put(kWhole, to_transfer("V1"), {request(1, {"V1", "V2"}), request(2, {"V1", "V2"})});
    put(kApart, to_transfer("V1"), {request(1, {"V1", "V2"}), request(2, {"V1", "V3"}), request(3, {"V1"})});
    stored::Request cancelled = request(2, {"V1"});
    cancelled.set_cancel_asked(true);
    put(kAlone, to_transfer("V1"), {request(1, {"V1"}), cancelled});
    ask("V1", TapeState::kBroken);
  }

  void expect_final(const std::string& where) {
    EXPECT_EQ(state_of("V1"), TapeState::kBroken) << where;
    EXPECT_EQ(all_requests(), (Ids{{kWhole, 1}, {kWhole, 2}, {kApart, 1}, {kApart, 2}, {kApart, 3}, {kAlone, 1}})) << where;
    EXPECT_TRUE(find_ended(context(), std::vector{RequestId{kAlone, 2}}).value().front().has_value()) << where;
    EXPECT_EQ(contents().count(to_transfer("V1")), 0u) << where;
    EXPECT_FALSE(read_queue(store, to_transfer("V1")).value().has_value()) << where;
    EXPECT_FALSE(read_queue(store, to_report("V1")).value()->has_reservation()) << where;
    expect_clean(*this, where);
  }
};

}  // namespace reclaim::test
