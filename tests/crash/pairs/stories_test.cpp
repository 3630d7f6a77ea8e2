// Processes of the archive that die one after the other: cleaners, drives, reporters, desks, collectors, and those who stop in good order.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "archive/cancel.hpp"
#include "archive/enqueue.hpp"
#include "archive/failed.hpp"
#include "archive/files.hpp"
#include "archive/ledger.hpp"
#include "archive/mounts.hpp"
#include "archive/policies.hpp"
#include "archive/take.hpp"
#include "crash/archive/outcomes.hpp"
#include "crash/drive/deliveries.hpp"
#include "crash/pairs/story.hpp"

namespace reclaim::test {
namespace {

using sim::must;

constexpr std::int64_t kNow = 1'764'000'000'000;
constexpr int kMounts = 8;
constexpr std::size_t kAFew = 3;  // requests: a pass ends in the middle

void nothing_more(ArchiveWorld&, Process&) {}

struct AtWork {
  agents::Agent& agent;
  Hand& hand;
  ArchiveEstate& estate;
  Context context;
};

// What an agent does, if it comes to be one.
template <class Work>
void as_agent(ports::Database& database, ports::ObjectStore& store, const char* kind, Work&& work) {
  const auto agent = agents::Agent::register_as(store, "first", kind);
  if (!agent.ok()) return;
  Hand hand(store, *agent.value());
  Context context{database, {kNow}, "test"};
  ArchiveEstate estate(hand, [context] { return context; });
  work(AtWork{*agent.value(), hand, estate, context});
}

TEST(CrashTwice, OfCleanersAndTheirCollectorsLosesNothing) {
  const auto clean = [](Broken&, ports::Database& database, ports::ObjectStore& store) {
    as_agent(database, store, "maintenance", [](const AtWork& at) {
      for (int pass = 0; pass < 4; ++pass) (void)clean_up(at.context, at.hand, at.estate, kAFew);
    });
  };
  crash_in_every_way<Broken>({"cleaners", clean, nothing_more}, 5);
}

// Of one drive after the other.
struct Tapes : Deliveries {
  Tapes() {
    for (const char* name : {"D1", "D2", "D3"}) must(register_drive(context(), DriveName(name)));
  }
};

TEST(CrashTwice, OfDrivesLosesNothing) {
  const auto serving = [](const char* name) {
    return [name](Tapes& tapes, ports::Database& database, ports::ObjectStore& store) {
      (void)serve(name, {database, store, tapes.library, tapes.buffer}, kMounts);
    };
  };
  const auto finish = [](Tapes& tapes, Process& last) {
    (void)serve("D3", {*tapes.database, tapes.store, tapes.library, tapes.buffer}, kMounts);
    (void)last.run_all();
  };
  crash_in_every_way<Tapes>({"drives", serving("D1"), finish, serving("D2")}, 20);
}

// Each may tell once more what an answer was lost of.
struct Told : Outcomes {
  Told() { faults_max = 2; }
};

TEST(CrashTwice, OfReportersLosesNothing) {
  const auto tell = [](Told& told, ports::Database& database, ports::ObjectStore& store) { run_first(told, database, store, told.sink); };
  const auto finish = [](Told& told, Process& last) {
    for (int pass = 0; pass < kPasses; ++pass) {
      EXPECT_TRUE(told.report_once(last).ok());
      told.wait(Millis{3'600'000});
    }
    (void)last.run_all();
  };
  crash_in_every_way<Told>({"reporters", tell, finish, tell}, 10);
}

// Two queues, a file that nobody asks for any more, requests that have failed; the ledger knows of all of them (C1).
struct Desk : ArchiveWorld {
  Desk() {
    std::vector<FileSpec> files;
    for (const char* id : {"f1", "f2"}) {
      const Vid vid(id[1] == '1' ? "V1" : "V2");
      files.push_back({.id = FileId(id), .size = 12, .checksum = "adler32:1e0b0402", .copies = {{vid, 1}}});
    }
    for (const auto& added : must(add_files(context(), files))) (void)must(added);
    must(put_policy(context(), {.name = PolicyName("bulk"), .priority = 3}));
    stored::Request lost = failed(1, kAnswers);
    stored::Request useless = failed(2, kAnswers);
    put(kTold, failed_queue("V1"), {lost, useless});
  }

  // New segments, appends to them, and what people decide about some.
  void go(ports::Database& through, ports::ObjectStore& store_seen) {
    as_agent(through, store_seen, "desk", [&](const AtWork& at) {
      Enqueuer enqueuer(at.hand);
      submit(enqueuer, at.context, {"f1", "f2", "f1"});
      submit(enqueuer, at.context, {"f2", "f1"});
      const auto closing = [&](const SegmentId& segment) { enqueuer.close(segment); };
      if (!accepted.empty()) (void)cancel_request(at.hand, at.context, accepted.front(), closing);
      submit(enqueuer, at.context, {"f1"});
      (void)retry_failed(at.hand, at.context, {kTold, 1}, kNow);
      (void)remove_failed(at.hand, at.context, {kTold, 2});
      (void)cancel_request(at.hand, at.context, {{90, 99}, 1}, closing);  // of which nobody has heard
      enqueuer.rest();
      (void)at.hand.rest();
    });
  }

  void submit(Enqueuer& enqueuer, const Context& as, std::initializer_list<const char*> files) {
    std::vector<Submission> asked;
    for (const char* file : files) asked.push_back({.file = FileId(file), .destination = "out", .policy = PolicyName("bulk")});
    for (const auto& answer : enqueuer.enqueue(as, asked, kNow)) {
      if (answer.ok()) accepted.push_back(answer.value().id);
    }
  }

  void expect_final(const std::string& where) {
    const TakenLedger taken = must(take_ledger(context(), store));
    EXPECT_TRUE(taken.is_settled) << where;
    EXPECT_EQ(taken.ledger.unaccounted(), 0) << where;
    const std::multiset<RequestId> there = all_requests();
    const auto ended = must(find_ended(context(), accepted));
    for (std::size_t i = 0; i < accepted.size(); ++i) {
      // On record and not left out yet: it has not ended, and whoever takes it next leaves it out.
      EXPECT_LE(there.count(accepted[i]), 1U) << where << ": " << text_of(accepted[i]);
      EXPECT_TRUE(there.contains(accepted[i]) || ended[i]) << where << ": " << text_of(accepted[i]);
    }
    for (const Finding& finding : must(check_store(store)).findings) {
      EXPECT_TRUE(is_leftover(finding.kind)) << where << ": " << finding.sentence;
    }
  }

  std::vector<RequestId> accepted;
};

TEST(CrashTwice, OfDesksLosesNothing) {
  const auto go = [](Desk& desk, ports::Database& database, ports::ObjectStore& store) { desk.go(database, store); };
  const Story<Desk> story{"desks", go, nothing_more, go};
  crash_in_every_way(story, 20);
  std::printf("crash points: archive, desks, after the store was away: %d\n", crash_after_silence(story, Whose::kItsOwnAfterAnOutage, 10));
}

// A drive has died, with a segment in its hands, one that it had only recorded, a mount, and a queue that it had reserved.
struct Dead : Broken {
  Dead() {
    Process drive(*database, store, "drive");
    drive.hand.hold({object_name(kHeld), object_name(kWhole), object_name(to_transfer("V2")), object_name(SegmentId{90, 77})}).value();
    stored::Segment segment;
    segment.set_owner(object_name(drive.hand.owner()).str());
    segment.set_origin(object_name(kHeld).str());
    *segment.add_requests() = request(1, {"V2"});
    must(store.create(object_name(kHeld), encode(kHeld, segment)));
    must(mount(drive.hand, Vid("V2"), "D1", kNow));
    must(edit_queue(store, to_transfer("V2"), [&](stored::Queue& queue) -> Result<Edited> {
      queue.mutable_reservation()->set_agent(drive.hand.id().str());
      return Edited::kWrite;
    }));
  }
  static constexpr SegmentId kHeld{91, 1};

  void expect_final(const std::string& where) {
    EXPECT_EQ(all_requests().count({kHeld, 1}), 1U) << where;
    EXPECT_EQ(all_requests().size(), 7U) << where;
    EXPECT_EQ(state_of("V1"), TapeState::kBroken) << where;
    EXPECT_TRUE(must(list_mounts(store)).empty()) << where;
    expect_clean(*this, where);
  }
};

TEST(CrashTwice, OfCollectorsLosesNothing) {
  const auto collect = [](Dead&, ports::Database& database, ports::ObjectStore& store) {
    as_agent(database, store, "maintenance", [&](const AtWork& at) {
      agents::Takeover takeover(store, at.agent, at.estate, Process::kTimeout);
      Instant now{1000};
      for (int look = 0; look < 6; ++look) {
        (void)at.agent.heart().beat().ok();
        (void)takeover.run(now = now + Process::kTimeout / 3, Process::kBudget);
      }
    });
  };
  crash_in_every_way<Dead>({"collectors", collect, nothing_more}, 10);
}

// A process that has something of everything in its hands stops in good order: it gives back, and leaves.
struct Stopping : ArchiveWorld {
  Stopping() { put(kWhole, to_transfer("V1"), {request(1, {"V1", "V2"}), request(2, {"V1"})}); }

  void expect_final(const std::string& where) {
    EXPECT_EQ(all_requests(), (Ids{{kWhole, 1}, {kWhole, 2}})) << where;
    EXPECT_TRUE(must(list_mounts(store)).empty()) << where;
    expect_clean(*this, where);
  }
};

TEST(CrashTwice, OfThoseWhoStopLosesNothing) {
  const auto stop = [](Stopping&, ports::Database& database, ports::ObjectStore& store) {
    as_agent(database, store, "drive", [](const AtWork& at) {
      const auto all = [](const stored::Queue& queue) { return std::vector(queue.pointers().begin(), queue.pointers().end()); };
      (void)mount(at.hand, Vid("V1"), "D1", kNow);
      (void)take(at.hand, to_transfer("V1"), all);
      for (const char* kind : {"segment", "queue", "mount"}) (void)give_back(at.hand, at.estate, kind);
      (void)at.agent.leave();
    });
  };
  crash_in_every_way<Stopping>({"graceful stops", stop, nothing_more}, 10);
}

}  // namespace
}  // namespace reclaim::test
