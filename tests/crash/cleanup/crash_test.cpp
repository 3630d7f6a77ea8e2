#include "archive/cleanup.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "sim/crash.hpp"
#include "sim/faulty_store.hpp"
#include "support/archive_world.hpp"

namespace reclaim::archive {
namespace {

using test::Broken;
using test::Process;

constexpr std::size_t kAFew = 3;  // requests: a pass ends in the middle

constexpr int kLooksUntilDead = 3;  // of a third of the timeout

// A process from its first call to its end: passes of a few requests each.
void run_one(const Context& context, ports::ObjectStore& store, int passes) {
  try {
    const auto agent = agents::Agent::register_as(store, "first", "maintenance");
    if (!agent.ok()) return;
    Hand hand(store, *agent.value());
    ArchiveEstate estate(hand, [&] { return context; });
    for (int pass = 0; pass < passes; ++pass) (void)clean_up(context, hand, estate, kAFew);
  } catch (const sim::Crash&) {
  }
}

// Stopped at every call to the store and to the database, or an answer lost. Whoever comes next ends it.
int crash_everywhere() {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    bool is_reached = true;
    for (int at = 0; is_reached; ++at, ++runs) {
      Broken broken;
      sim::Fault fault{at, outcome};
      sim::FaultyStore store(broken.store, fault, static_cast<std::uint64_t>(at));
      sim::FaultyDatabase database(*broken.database, fault);
      run_one({database, broken.context().wall, "pass:test"}, store, outcome == sim::Outcome::kAnswerLost ? 4 : 2);
      is_reached = fault.happened;
      Process second(*broken.database, broken.store, "second");
      second.run_all();
      broken.expect_final("A1 one-place, A2 no-loss, A4 pending-is-finite: a cleaner is " + in_words(fault));
      if (testing::Test::HasFailure()) return runs;
    }
  }
  return runs;
}

TEST(CleanupUnderCrashes, EndsWithEveryRequestInOneQueueAndTheTapeFinal) { std::printf("crash points: cleanup: %d\n", crash_everywhere()); }

// The collector dies, too: at each call of the round in which it collects, sweeps and cleans up.
int crash_the_collector(const sim::Fault& first) {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    bool is_reached = true;
    for (int at = 0; is_reached && !testing::Test::HasFailure(); ++at, ++runs) {
      Broken broken;
      sim::Fault dies = first;
      sim::FaultyStore through(broken.store, dies);
      run_one(broken.context(), through, 1);
      sim::Fault fault;
      sim::FaultyStore store(broken.store, fault, static_cast<std::uint64_t>(at));
      Process second(*broken.database, store, "second");
      for (int look = 0; look < kLooksUntilDead; ++look) (void)second.collect();
      fault = {.at = at, .outcome = outcome};
      try {
        for (int round = 0; round < 2; ++round) {
          (void)second.collect();
          (void)second.sweep.run(Process::kBudget);
          (void)second.clean();
        }
      } catch (const sim::Crash&) {
      }
      is_reached = fault.happened;
      Process third(*broken.database, broken.store, "third");
      third.run_all();
      broken.expect_final("a cleaner is " + in_words(dies) + "its collector is " + in_words(fault));
    }
  }
  return runs;
}

// Where the cleaner died. One is enough for a sanitizer, under which each takes ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kFirst[] = {46};
#else
constexpr int kFirst[] = {25, 40, 46, 52, 58};
#endif

TEST(CleanupUnderCrashes, OfTheCollectorTooEndsTheSame) {
  int runs = 0;
  for (const int first : kFirst) runs += crash_the_collector({.at = first, .outcome = sim::Outcome::kStopAfter});
  std::printf("crash points: collectors of a cleaner: %d\n", runs);
}

// A queue that cannot be read is mended by a sweep that dies at each of its calls, or does not hear the answer.
int crash_the_mending() {
  int runs = 0;
  for (const sim::Outcome outcome : sim::kOutcomes) {
    bool is_reached = true;
    for (int at = 0; is_reached && !testing::Test::HasFailure(); ++at, ++runs) {
      Broken broken;
      const ports::ObjectName name = object_name(test::to_transfer("V1"));
      broken.store.replace(name, broken.store.read(name).value().version, "rubbish").value();
      sim::Fault fault;
      sim::FaultyStore store(broken.store, fault, static_cast<std::uint64_t>(at));
      Process first(*broken.database, store, "first");
      fault = {.at = at, .outcome = outcome};
      try {
        (void)first.sweep.run(Process::kBudget);
      } catch (const sim::Crash&) {
      }
      is_reached = fault.happened;
      Process second(*broken.database, broken.store, "second");
      second.run_all();
      const std::vector<std::string> aside = broken.store.list_all("damaged").value();
      EXPECT_EQ(aside.size(), 1u) << at;
      for (const std::string& key : aside) {
        broken.store.remove({"damaged", key}, broken.store.read({"damaged", key}).value().version).value();
      }
      broken.expect_final("who mends it is " + in_words(fault));
    }
  }
  return runs;
}

TEST(SweepUnderCrashes, MendsAQueueThatCannotBeReadAndLosesNoRequest) {
  std::printf("crash points: mending of a queue: %d\n", crash_the_mending());
}

// Calls back once before the call number `at` (a batch is one), and then goes on.
class PausingStore : public ports::ObjectStore {
 public:
  PausingStore(ports::ObjectStore& inner, int at, std::function<void()> meanwhile)
      : inner_(inner), at_(at), meanwhile_(std::move(meanwhile)) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    arrive();
    std::vector<ports::StoreAnswer> answers = inner_.run(calls);
    for (std::size_t i = 0; i < answers.size(); ++i) note(calls[i], answers[i]);
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    arrive();
    return inner_.list(kind, after, limit);
  }
  bool has_paused() const { return at_ < 0; }
  void forget(const ports::ObjectName& name) { refused_.erase(name); }
  // What was refused since the pause and not written afterwards, by the kind of the names.
  agents::LateWrites late() const {
    agents::LateWrites late;
    for (const ports::ObjectName& name : refused_) ++late[name.kind];
    return late;
  }

 private:
  void arrive() {
    if (at_-- == 0) meanwhile_();
  }
  void note(const ports::StoreCall& call, const ports::StoreAnswer& answer) {
    if (call.op == ports::StoreCall::Op::kRead) return;
    if (answer.ok()) refused_.erase(call.name);
    if (!answer.ok() && has_paused()) refused_.insert(call.name);
  }

  ports::ObjectStore& inner_;
  int at_;
  std::function<void()> meanwhile_;
  std::set<ports::ObjectName> refused_;
};

TEST(PausedCleaners, WakeAfterTheirCollectionAndChangeNothing) {
  int pauses = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++pauses) {
    Broken broken;
    std::unique_ptr<Process> second;
    PausingStore store(broken.store, pauses, [&] {
      second = std::make_unique<Process>(*broken.database, broken.store, "second");
      second->run_all();
      broken.expect_final("while it pauses at " + std::to_string(pauses));
    });
    run_one(broken.context(), store, 1);
    is_reached = store.has_paused();
    if (!second) second = std::make_unique<Process>(*broken.database, broken.store, "second");
    second->run_all();
    broken.expect_final("after a pause at " + std::to_string(pauses));
  }
  std::printf("crash points: pauses of a cleaner: %d\n", pauses);
}

TEST(PausedCleaners, CountTheirWritesThatCameTooLateAndNothingElse) {
  agents::LateWrites all;
  int pauses = 0;
  for (bool is_reached = true; is_reached && !HasFailure(); ++pauses) {
    Broken broken;
    const auto agent = sim::must(agents::Agent::register_as(broken.store, "first", "maintenance"));
    std::unique_ptr<Process> second;
    PausingStore store(broken.store, pauses, [&] {
      second = std::make_unique<Process>(*broken.database, broken.store, "second");
      second->run_all();
    });
    Hand hand(store, *agent);
    ArchiveEstate estate(hand, [&] { return broken.context(); });
    (void)clean_up(broken.context(), hand, estate, kAFew);
    is_reached = store.has_paused();
    EXPECT_EQ(agent->heart().beat().ok(), !is_reached);
    agents::LateWrites late = agent->heart().late();
    for (const auto& [what, count] : late) all[what] += count;
    EXPECT_EQ(late.erase("agent"), is_reached ? 1u : 0u);
    // Where the reservation was found to be lost, that stands for the queue's refusal, if there was one.
    if (late.erase("reservation") > 0) store.forget(object_name(test::to_transfer("V1")));
    EXPECT_EQ(late, store.late()) << "pause " << pauses;
  }
  for (const char* what : {"agent", "segment", "reservation"}) EXPECT_GT(all[what], 0u) << what;
  std::printf("crash points: late writes of a cleaner: %d\n", pauses);
}

}  // namespace
}  // namespace reclaim::archive
