// Enqueuing, stopped at every call to the store: what was answered with an id is in a queue, what was not is nowhere or can be found, and
// nothing is broken (A1, A2).
#include "archive/enqueue.hpp"

#include <gtest/gtest.h>

#include <iostream>

#include "archive/locate.hpp"
#include "sim/faulty_store.hpp"
#include "unit/archive/desk.hpp"

namespace reclaim::archive {
namespace {

using test::submission;
using test::to_transfer;

struct Submitter {
  Submitter(test::Archive& catalogue, int at, sim::Outcome outcome, std::uint64_t seed)
      : archive(catalogue), fault{.outcome = outcome}, faulty(memory, fault, seed), planned(at) {}

  // New segments for two queues, appends to both, and one that a taker has got hold of in between.
  void go() {
    agent = agents::Agent::register_as(faulty, "desk", "desk").value();
    drive = agents::Agent::register_as(memory, "drive", "drive").value();
    const int before = fault.calls;
    if (planned >= 0) fault.at = before + planned;
    Hand hand(faulty, *agent);
    Enqueuer enqueuer(hand);
    submit(enqueuer, {"f1", "f2", "f1"});
    submit(enqueuer, {"f2", "f1"});
    take_all("V1");
    submit(enqueuer, {"f1", "f1", "f2"});
    calls = fault.calls - before;
    // The store is well again: what was in doubt is settled, and the agent can leave.
    submit(enqueuer, {"f2"});
    enqueuer.rest();
    EXPECT_TRUE(agent->leave().ok()) << "nothing stays on its list";
  }

  void submit(Enqueuer& enqueuer, std::initializer_list<const char*> files) {
    std::vector<Submission> wanted;
    for (const char* file : files) wanted.push_back(submission(file));
    for (const Result<Enqueued>& answer : enqueuer.enqueue(archive.context, wanted, test::kNow)) {
      if (answer.ok()) {
        acknowledged.push_back(answer.value());
      } else {
        EXPECT_EQ(answer.error().kind, Error::Kind::kUnavailable) << answer.error().message;
      }
    }
  }

  void take_all(const std::string& vid) {
    const auto queue = read_queue(memory, to_transfer(vid)).value();
    if (!queue) return;
    for (const stored::Queue::Pointer& entry : queue->pointers()) {
      const auto at = read_segment(memory, parse_segment_name(entry.segment()).value()).value();
      if (!at || !at->is_owned_by(to_transfer(vid))) continue;
      const std::vector<ports::ObjectName> names{object_name(at->id)};
      drive->own(names).value();
      const std::vector<ports::StoreCall> taking{owner_write(at->id, at->version, at->segment, drive->id())};
      ASSERT_TRUE(memory.run(taking).front().ok());
    }
  }

  void verify(const std::string& what) {
    for (const Finding& finding : check_store(memory).value().findings) {
      EXPECT_TRUE(is_leftover(finding.kind)) << what << ": " << finding.sentence;
    }
    for (const Enqueued& one : acknowledged) {
      const auto located = locate(memory, one.id).value();
      ASSERT_TRUE(located) << what << ": " << text_of(one.id) << " is lost";
      const Owner owner = parse_owner(located->segment->segment.owner()).value();
      EXPECT_TRUE(owner == Owner(to_transfer(one.vid.str())) || owner == Owner(drive->id())) << what;
    }
  }

  test::Archive& archive;
  sim::Fault fault;
  objects_memory::MemoryStore memory;
  sim::FaultyStore faulty;
  std::unique_ptr<agents::Agent> drive;
  std::unique_ptr<agents::Agent> agent;
  std::vector<Enqueued> acknowledged;
  int planned;
  int calls = 0;
};

TEST(EnqueueCrashes, AtEveryCallToTheStoreLoseNothingThatWasAnswered) {
  test::Archive archive({"V1", "V2"});
  archive.add_file("f1", {"V1"});
  archive.add_file("f2", {"V2"});
  Submitter clean(archive, -1, sim::Outcome::kStopBefore, 0);
  clean.go();
  clean.verify("without a crash");
  EXPECT_EQ(clean.acknowledged.size(), 9U);
  int points = 0;
  for (int at = 0; at < clean.calls; ++at) {
    for (const sim::Outcome outcome : sim::kOutcomes) {
      for (const std::uint64_t seed : {1U, 2U, 3U}) {
        Submitter run(archive, at, outcome, seed);
        try {
          run.go();
          EXPECT_EQ(outcome, sim::Outcome::kAnswerLost) << at;
        } catch (const sim::Crash&) {
          EXPECT_NE(outcome, sim::Outcome::kAnswerLost);
        }
        run.verify("call " + std::to_string(at) + ", outcome " + std::to_string(static_cast<int>(outcome)));
        ++points;
      }
    }
  }
  std::cout << "enqueue: " << clean.calls << " calls, " << points << " points\n";
}

}  // namespace
}  // namespace reclaim::archive
