// Enqueuing, stopped at every call to the store: what was answered with an id is in a queue, what was not is nowhere or can be found, and
// nothing is broken (A1, A2).
#include "archive/enqueue.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <optional>

#include "archive/locate.hpp"
#include "sim/faulty_store.hpp"
#include "unit/archive/desk.hpp"

namespace reclaim::archive {
namespace {

using samples::submission;
using samples::to_transfer;

// Keeps one write of the store's for later, and says that its answer was lost. An ill store does nothing from there on.
class LateStore : public ports::ObjectStore {
 public:
  explicit LateStore(ports::ObjectStore& inner) : inner_(inner) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    if (late && is_ill) return {calls.size(), ports::StoreAnswer(unavailable("the store is away"))};
    std::vector<ports::StoreCall> sent;
    std::size_t held = calls.size();
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const bool is_held = calls[i].op != ports::StoreCall::Op::kRead && writes++ == at;
      if (is_held) held = i;
      if (is_held) late = calls[i];
      if (!is_held) sent.push_back(calls[i]);
    }
    std::vector<ports::StoreAnswer> answers = inner_.run(sent);
    if (held < calls.size()) answers.insert(answers.begin() + static_cast<std::ptrdiff_t>(held), unavailable("the answer was lost"));
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return inner_.list(kind, after, limit);
  }

  int at = -1;
  int writes = 0;
  bool is_ill = false;
  std::optional<ports::StoreCall> late;

 private:
  ports::ObjectStore& inner_;
};

struct Submitter {
  explicit Submitter(samples::Archive& catalogue) : archive(catalogue) {}

  // New segments for two queues, appends to both, and one that a taker has got hold of in between.
  // `begin` is called when the agent is there, `well` when the store is to be well again: then what was in doubt is settled, and the
  // agent can leave.
  void go(ports::ObjectStore& store, const std::function<void()>& begin, const std::function<void()>& well) {
    agent = agents::Agent::register_as(store, "desk", "desk").value();
    drive = agents::Agent::register_as(memory, "drive", "drive").value();
    begin();
    Hand hand(store, *agent);
    Enqueuer enqueuer(hand);
    submit(enqueuer, {"f1", "f2", "f1"});
    submit(enqueuer, {"f2", "f1"});
    take_all("V1");
    submit(enqueuer, {"f1", "f1", "f2"});
    well();
    submit(enqueuer, {"f2"});
    enqueuer.rest();
    EXPECT_TRUE(agent->leave().ok()) << "nothing stays on its list";
  }

  void submit(Enqueuer& enqueuer, std::initializer_list<const char*> files) {
    std::vector<Submission> wanted;
    for (const char* file : files) wanted.push_back(submission(file));
    for (const Result<Enqueued>& answer : enqueuer.enqueue(archive.context, wanted, samples::kNow)) {
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

  void verify(const std::string& what, bool may_be_ownerless = false) {
    for (const Finding& finding : check_store(memory).value().findings) {
      const bool is_late = may_be_ownerless && finding.kind == Finding::Kind::kNoOwner;
      EXPECT_TRUE(is_leftover(finding.kind) || is_late) << what << ": " << finding.sentence;
    }
    for (const Enqueued& one : acknowledged) {
      const auto located = locate(memory, one.id).value();
      ASSERT_TRUE(located) << what << ": " << text_of(one.id) << " is lost";
      const Owner owner = parse_owner(located->segment->segment.owner()).value();
      EXPECT_TRUE(owner == Owner(to_transfer(one.vid.str())) || owner == Owner(drive->id())) << what;
    }
  }

  samples::Archive& archive;
  objects_memory::MemoryStore memory;
  std::unique_ptr<agents::Agent> drive;
  std::unique_ptr<agents::Agent> agent;
  std::vector<Enqueued> acknowledged;
};

struct TwoTapes : samples::Archive {
  TwoTapes() : Archive({"V1", "V2"}) {
    add_file("f1", {"V1"});
    add_file("f2", {"V2"});
  }
};

// How many calls there were while the store was ill.
int run_under(samples::Archive& archive, int at, sim::Outcome outcome, std::uint64_t seed) {
  Submitter submitter(archive);
  sim::Fault fault{.outcome = outcome};
  sim::FaultyStore store(submitter.memory, fault, seed);
  int before = 0;
  int calls = 0;
  bool is_stopped = false;
  const auto begin = [&] {
    before = fault.calls;
    if (at >= 0) fault.at = before + at;
  };
  try {
    submitter.go(store, begin, [&] { calls = fault.calls - before; });
  } catch (const sim::Crash&) {
    is_stopped = true;
  }
  EXPECT_EQ(is_stopped, at >= 0 && outcome != sim::Outcome::kAnswerLost);
  submitter.verify("A2 no-loss: the submitter is " + in_words(fault));
  EXPECT_TRUE(at >= 0 || submitter.acknowledged.size() == 9U);
  return calls;
}

TEST(EnqueueCrashes, AtEveryCallToTheStoreLoseNothingThatWasAnswered) {
  TwoTapes archive;
  const int calls = run_under(archive, -1, sim::Outcome::kStopBefore, 0);
  int points = 0;
  for (int at = 0; at < calls; ++at) {
    for (const sim::Outcome outcome : sim::kOutcomes) {
      for (const std::uint64_t seed : {1U, 2U, 3U}) {
        run_under(archive, at, outcome, seed);
        ++points;
      }
    }
  }
  std::cout << "crash points: enqueue: " << calls << " calls, " << points << " points\n";
}

// False: there are not so many writes.
bool arrives_late(samples::Archive& archive, int at, bool is_ill) {
  Submitter submitter(archive);
  LateStore store(submitter.memory);
  const auto begin = [&] {
    store.writes = 0;
    store.at = at;
    store.is_ill = is_ill;
  };
  const auto well = [&] {
    store.at = -1;
    store.is_ill = false;
  };
  submitter.go(store, begin, well);
  if (!store.late) return false;
  const std::string what = "write " + std::to_string(at) + ", " + store.late->name.str();
  const ports::StoreAnswer arrived = submitter.memory.run(std::span(&*store.late, 1)).front();
  const bool is_creation = store.late->op == ports::StoreCall::Op::kCreate && store.late->name.kind == "segment";
  EXPECT_TRUE(!arrived.ok() || is_creation || store.late->name.kind == "queue") << what;
  submitter.verify(what, arrived.ok() && is_creation);
  return true;
}

// A write that was given up and arrives when its agent has left. A queue may still get an entry or figures, which are hints. A segment may
// still be created, of a name that nobody else has: it belongs to an agent that is not there, and whoever sweeps returns it.
TEST(EnqueueCrashes, AWriteThatArrivesLateChangesNothingThatCounts) {
  TwoTapes archive;
  for (const bool is_ill : {false, true}) {
    int held = 0;
    while (arrives_late(archive, held, is_ill)) ++held;
    EXPECT_GT(held, 10);
    std::cout << "crash points: enqueue: " << held << " late writes\n";
  }
}

}  // namespace
}  // namespace reclaim::archive
