#include "archive/take.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/records.hpp"
#include "archive/locate.hpp"
#include "archive/move.hpp"
#include "archive/store_check.hpp"
#include "crash/hands/hands.hpp"
#include "sim/faulty_store.hpp"
#include "support/told.hpp"

namespace reclaim::archive {
namespace {

using samples::AtWork;
using samples::put_into;

const QueueId kQueue{Vid("V1"), QueueType::kToTransfer};

SegmentId id(std::uint64_t number) { return {.epoch = 1000, .number = number}; }
constexpr std::uint64_t kUnreadable = 3;
constexpr std::uint64_t kSound[] = {1, 2, 4};

std::vector<stored::Queue::Pointer> all(const stored::Queue& queue) { return {queue.pointers().begin(), queue.pointers().end()}; }

// Three segments of two requests, one between them that nobody can read, a dead entry, and a drive whose every call may be its last.
struct Tape {
  Tape() {
    for (std::uint64_t number = 1; number <= 4; ++number) put_into(store, kQueue, id(number), {1, 2});
    store.replace(object_name(id(kUnreadable)), store.read(object_name(id(kUnreadable))).value().version, "garbage").value();
    stored::Queue::Pointer dead = read_queue(store, kQueue).value().value().pointers(0);
    dead.set_segment("segment/1000-77");
    announce(store, kQueue, std::span(&dead, 1)).value();
  }

  // A1, A2: nothing is broken, and each request is there once and found by its id.
  void expect_sound(bool is_set_aside) {
    const StoreReport report = check_store(store).value();
    for (const Finding& finding : report.findings) {
      const bool is_known = !is_set_aside && finding.objects.front() == object_name(id(kUnreadable));
      EXPECT_TRUE(is_leftover(finding.kind) || is_known) << name_of(finding.kind) << ": " << finding.sentence;
    }
    EXPECT_EQ(report.summary.in_queues[0] + report.summary.with_agents, 6U);
    for (const std::uint64_t number : kSound) {
      for (const std::uint32_t ordinal : {1U, 2U}) EXPECT_TRUE(locate(store, {id(number), ordinal}).value().has_value());
    }
  }

  // What its collector does for a dead drive: what it owned goes back, with entries of the collector's own.
  void collect(const agents::AgentId& dead) {
    const ports::Object object = store.read(dead.object()).value();
    for (const ports::ObjectName& name : agents::owned_names(dead.object(), object.bytes).value()) {
      const auto found = read_segment(store, parse_segment_name(name.str()).value()).value();
      if (!found || !found->is_owned_by(dead)) continue;
      const WholeMove back{.id = found->id, .at = found->version, .after = found->segment, .to = kQueue};
      EXPECT_EQ(move_whole(store, std::span(&back, 1)).value().front(), Moved::kDone);
    }
    store.remove(dead.object(), store.read(dead.object()).value().version).value();
  }

  objects_memory::MemoryStore store;
};

// One drive that meets the fault while it takes. False: the fault lies beyond the last call.
bool take_into(int at, sim::Outcome outcome) {
  Tape tape;
  sim::Fault fault;
  sim::FaultyStore faulty(tape.store, fault, static_cast<std::uint64_t>(at));
  AtWork drive(faulty);
  fault = {.at = at, .outcome = outcome};
  bool is_dead = false;
  try {
    const Result<TakenSegments> taken = take(drive.hand, kQueue, all);
    EXPECT_TRUE(taken.ok() || outcome == sim::Outcome::kAnswerLost);
    if (taken.ok()) {
      EXPECT_FALSE(taken.value().is_in_doubt);
      for (const SegmentAt& segment : taken.value().segments) {
        EXPECT_EQ(read_segment(tape.store, segment.id).value().value().version, segment.version) << "answer " << at << " was lost";
      }
      EXPECT_EQ(check_store(tape.store).value().summary.with_agents, 2 * taken.value().segments.size()) << "what is owned is known";
      EXPECT_EQ(drive.agent->owned().size(), taken.value().segments.size());
    } else {
      EXPECT_EQ(check_store(tape.store).value().summary.with_agents, 0U);
    }
  } catch (const sim::Crash&) {
    is_dead = true;
  }
  tape.expect_sound(false);
  if (is_dead) tape.collect(drive.agent->id());
  AtWork next(tape.store, "drive-2");
  (void)take(next.hand, kQueue, all).value();
  tape.expect_sound(true);
  EXPECT_EQ(check_store(tape.store).value().summary.with_agents, 6U) << "one of the two has it all";
  EXPECT_FALSE(read_queue(tape.store, kQueue).value().has_value());
  testing_support::tell_if_failed("A1 one-place, A2 no-loss: who takes", fault);
  return fault.happened;
}

TEST(TakingUnderCrashes, LosesNothingAndTakesNothingTwice) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    for (int at = 0; take_into(at, outcome) && !HasFailure(); ++at) ++runs;
  }
  std::printf("crash points: taking: %d\n", runs);
  EXPECT_GT(runs, 30);
}

// Answers nothing to writes of segments, which arrive or not.
class Deaf final : public ports::ObjectStore {
 public:
  explicit Deaf(ports::ObjectStore& inner) : inner_(inner) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<ports::StoreAnswer> answers;
    answers.reserve(calls.size());
    for (const ports::StoreCall& call : calls) {
      const bool is_deaf = is_on && call.op == ports::StoreCall::Op::kReplace && call.name.kind == "segment";
      answers.push_back(is_deaf ? unavailable("no answer") : inner_.run(std::span(&call, 1)).front());
    }
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return inner_.list(kind, after, limit);
  }

  bool is_on = false;

 private:
  ports::ObjectStore& inner_;
};

TEST(TakingUnderCrashes, ANameWhoseWriteMayStillArriveIsNotLetGo) {
  Tape tape;
  Deaf deaf(tape.store);
  AtWork drive(deaf);
  deaf.is_on = true;
  const TakenSegments taken = take(drive.hand, kQueue, all).value();
  EXPECT_TRUE(taken.is_in_doubt);
  EXPECT_TRUE(taken.segments.empty());
  for (const std::uint64_t number : kSound) EXPECT_TRUE(drive.agent->owned().contains(object_name(id(number))));
  tape.expect_sound(true);
}

}  // namespace
}  // namespace reclaim::archive
