// Crash at every step (rung 1), for agents and their collectors: each call to the store is stopped before, stopped after, or robbed of its
// answer; then a fresh process collects whoever died. Besides, each call fails once and is carried out later, or never; and each process is
// paused before each of its calls until it has been collected, and wakes.
//
// How a breach shows. After every single call: whatever names an agent as its owner or collector stands on the list of that agent, which
// exists (nothing is forgotten). At the end: all things that were there are there, in the pool, returned at most once (no two
// collectors acted on one), and nobody but the last process is registered (nothing stays behind). A process that was collected while it
// was paused changes nothing when it wakes, byte by byte and version by version, and is told kFenced.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/census.hpp"
#include "sim/faulty_store.hpp"
#include "support/interrupted_store.hpp"
#include "unit/agents/pool.hpp"

// The plain build runs every point. Under a sanitizer, which looks for other things and takes its time, every third will do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kStride = 3;
#else
constexpr int kStride = 1;
#endif

namespace reclaim::test {
namespace {

using agents::Agent;
using sim::must;
using sim::Outcome;

using Names = std::vector<ports::ObjectName>;

// Looks after each call whether everything that is owned is on its owner's list.
class WatchedStore : public ports::ObjectStore {
 public:
  explicit WatchedStore(ports::ObjectStore& inner) : inner_(inner) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<ports::StoreAnswer> answers = inner_.run(calls);
    const auto writes = [](const ports::StoreCall& call) { return call.op != ports::StoreCall::Op::kRead; };
    if (std::ranges::any_of(calls, writes)) look_around();
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    return inner_.list(kind, after, limit);
  }

 private:
  void look_around() {
    std::map<std::string, Names> lists;
    for (const agents::Listed& agent : must(agents::list_agents(inner_))) lists[agent.id.str()] = agent.owned;
    const auto expect_listed = [&](const ports::ObjectName& name, const std::string& owner) {
      const bool is_listed = lists.contains(owner) && std::ranges::find(lists[owner], name) != lists[owner].end();
      EXPECT_TRUE(is_listed) << name.str() << " is on no list of " << owner;
    };
    for (const agents::Listed& agent : must(agents::list_agents(inner_))) {
      if (agent.collector) expect_listed(agent.id.object(), agent.collector->str());
    }
    for (const std::string& key : must(inner_.list_all("thing"))) {
      const Thing thing = find_thing(inner_, key).value();
      if (thing.owner != "pool" && !thing.is_reserved) expect_listed(thing_name(key), thing.owner);
    }
  }

  ports::ObjectStore& inner_;
};

// Carries call number `at` out only `later` calls after it, or never; to its caller it is kUnavailable, and he goes on.
class LateStore : public ports::ObjectStore {
 public:
  LateStore(ports::ObjectStore& inner, int at, std::optional<int> later) : inner_(inner), at_(at), later_(later) {}
  ~LateStore() override { deliver(); }

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<ports::StoreAnswer> answers;
    for (const ports::StoreCall& call : calls) {
      const bool is_late = arrive();
      if (is_late) late_ = call;
      answers.push_back(is_late ? ports::StoreAnswer(unavailable("not now")) : inner_.run({&call, 1}).front());
    }
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    if (arrive()) return unavailable("not now");
    return inner_.list(kind, after, limit);
  }
  bool happened() const { return calls_ > at_; }

 private:
  bool arrive() {
    if (later_ && calls_ == at_ + *later_) deliver();
    return calls_++ == at_;
  }
  void deliver() {
    if (late_ && later_) (void)inner_.run({&*late_, 1});
    late_.reset();
  }

  ports::ObjectStore& inner_;
  const int at_;
  const std::optional<int> later_;
  std::optional<ports::StoreCall> late_;
  int calls_ = 0;
};

// One store, and the time.
struct World {
  World() {
    must(store.create(thing_name("old"), Thing().bytes()));
    must(store.create(thing_name("untouched"), Thing().bytes()));
  }

  // A fresh process collects everybody else, and nothing is left behind.
  void recover() {
    Collector medic(watched, "medic");
    for (int passes = 0; must(agents::look(store)).size() > 1 || !medic.agent->owned().empty(); ++passes) {
      ASSERT_LT(passes, 30) << "somebody is never collected";
      const Result<agents::TakeoverReport> report = medic.pass(now);
      ASSERT_TRUE(report.ok()) << report.error().message;
      for (const std::string& problem : report.value().problems) ADD_FAILURE() << problem;
    }
    must(medic.agent->leave());
  }

  // Recovers, and holds the things against what was there.
  void expect_all_is_well() {
    std::map<std::string, Thing> before;
    for (const std::string& key : must(store.list_all("thing"))) before[key] = find_thing(store, key).value();
    recover();
    for (const auto& [key, thing] : before) {
      const std::optional<Thing> now_there = find_thing(store, key);
      ASSERT_TRUE(now_there) << key << " is lost";
      EXPECT_EQ(now_there->is_reserved, thing.is_reserved) << key;
      if (!thing.is_reserved) {
        EXPECT_EQ(now_there->owner, "pool") << key;
      }
      EXPECT_LE(now_there->returned, 1) << key << " was returned twice";
    }
    EXPECT_TRUE(must(store.list_all("agent")).empty());
    EXPECT_TRUE(must(store.list_all("beat")).empty());
  }

  bool has_agent(const std::string& name) {
    return std::ranges::any_of(must(agents::list_agents(store)), [&](const agents::Listed& agent) { return agent.id.name == name; });
  }

  objects_memory::MemoryStore store;
  WatchedStore watched{store};
  Instant now;
};

// What a workflow does, as `name`, with a store that may fail.
using Workflow = std::function<Status(World&, ports::ObjectStore&)>;

constexpr int kPatience = 4;  // lost answers are asked for again

Result<std::unique_ptr<Agent>> registered(ports::ObjectStore& store, const std::string& name) {
  for (int attempt = 0;; ++attempt) {
    Result<std::unique_ptr<Agent>> agent = Agent::register_as(store, name, "drive");
    if (agent.ok() || agent.error().kind != Error::Kind::kUnavailable || attempt == kPatience) return agent;
  }
}

Status patiently(const std::function<Status()>& call) {
  for (int attempt = 0;; ++attempt) {
    Status status = call();
    if (status.ok() || status.error().kind != Error::Kind::kUnavailable || attempt == kPatience) return status;
  }
}

// Writes a thing; where it is not certain what became of that, looks, and writes it again at the same version.
Result<ports::Version> write_thing(ports::ObjectStore& store, const std::string& key, std::optional<ports::Version> at,
                                   const Thing& thing) {
  Result<ports::Version> written = unavailable("not tried");
  bool is_uncertain = false;
  for (int attempt = 0; attempt <= kPatience && !written.ok(); ++attempt) {
    written = at ? store.replace(thing_name(key), *at, thing.bytes()) : store.create(thing_name(key), thing.bytes());
    if (written.ok()) break;
    is_uncertain = is_uncertain || written.error().kind == Error::Kind::kUnavailable;
    if (!is_uncertain) break;
    const Result<ports::Object> found = store.read(thing_name(key));
    if (found.ok() && found.value().bytes == thing.bytes()) written = found.value().version;
  }
  return written;
}

Result<ports::Version> version_of(ports::ObjectStore& store, const std::string& key) {
  Result<ports::Object> object = store.read(thing_name(key));
  for (int attempt = 0; attempt < kPatience && !object.ok(); ++attempt) object = store.read(thing_name(key));
  return TRY(std::move(object)).version;
}

Status give_back(ports::ObjectStore& store, Agent& agent, const std::string& key, ports::Version version) {
  TRY(write_thing(store, key, version, Thing()));
  agent.release(Names{thing_name(key)});
  return done();
}

// After a step that failed a process goes on to its next, which begins with own().
Status go_on(Agent& agent, const Status& ended) {
  const Status owned = patiently([&] { return agent.own({}); });
  return owned.ok() ? ended : owned;
}

// An agent's life: beats, makes, takes, gives back, removes, records for nothing, and leaves.
Status live(ports::ObjectStore& store, const std::unique_ptr<Agent>& agent) {
  const auto own = [&](const Names& names) { return patiently([&] { return agent->own(names); }); };
  agent->heart().progress(Millis(30'000));
  TRY(patiently([&] { return agent->heart().beat(); }));
  const Thing mine{.owner = agent->id().str()};
  TRY(own({thing_name("new"), thing_name("shortlived")}));
  const ports::Version fresh = TRY(write_thing(store, "new", {}, mine));
  const ports::Version shortlived = TRY(write_thing(store, "shortlived", {}, mine));
  const ports::Version found = TRY(version_of(store, "old"));
  TRY(own({thing_name("old")}));
  const ports::Version taken = TRY(write_thing(store, "old", found, mine));
  TRY(give_back(store, *agent, "new", fresh));
  TRY(patiently([&] { return agent->heart().beat(); }));
  TRY(give_back(store, *agent, "shortlived", shortlived));
  TRY(own({thing_name("never-made"), thing_name("untouched")}));
  agent->release(Names{thing_name("never-made"), thing_name("untouched")});
  TRY(patiently([&] { return agent->flush(); }));
  TRY(give_back(store, *agent, "old", taken));
  return patiently([&] { return agent->leave(); });
}

Status live_as_worker(World&, ports::ObjectStore& store) {
  const std::unique_ptr<Agent> agent = TRY(registered(store, "worker"));
  const Status ended = live(store, agent);
  return ended.ok() ? ended : go_on(*agent, ended);
}

// Before a collector comes: an agent that died with something of everything on its list.
void leave_a_dead_agent(World& world) {
  const std::unique_ptr<Agent> agent = must(Agent::register_as(world.watched, "victim", "drive"));
  const Thing mine{.owner = agent->id().str()};
  const ports::Version old = must(world.store.read(thing_name("old"))).version;
  must(agent->own(Names{thing_name("made"), thing_name("never-made"), thing_name("old"), thing_name("untouched")}));
  (void)must(write_thing(world.watched, "made", {}, mine));
  (void)must(write_thing(world.watched, "old", old, mine));
}

// A collector's life: passes until nobody else is there, and leaves.
Status collect_all(World& world, ports::ObjectStore& store, const std::unique_ptr<Agent>& agent) {
  Pool pool(store);
  agents::Takeover takeover(store, *agent, pool, Collector::kTimeout);
  for (int passes = 0; must(agents::look(world.store)).size() > 1 || !agent->owned().empty(); ++passes) {
    if (passes == 30) return corrupt("it never ends");
    world.now = world.now + Collector::kTimeout / 3;
    TRY(patiently([&] { return agent->heart().beat(); }));
    const Result<agents::TakeoverReport> report = takeover.run(world.now, 1000);
    if (!report.ok() && report.error().kind != Error::Kind::kUnavailable) return report.error();
  }
  return patiently([&] { return agent->leave(); });
}

Workflow collector(const std::string& name) {
  return [name](World& world, ports::ObjectStore& store) -> Status {
    const std::unique_ptr<Agent> agent = TRY(registered(store, name));
    const Status ended = collect_all(world, store, agent);
    return ended.ok() ? ended : go_on(*agent, ended);
  };
}

// Runs with one fault. Whether the fault happened: there is such a call.
bool run_with(World& world, const Workflow& workflow, int at, Outcome outcome) {
  sim::Fault fault{.at = at, .outcome = outcome};
  sim::FaultyStore store(world.watched, fault, static_cast<std::uint64_t>(at));
  try {
    const Status ended = workflow(world, store);
    EXPECT_TRUE(ended.ok()) << ended.error().message;
  } catch (const sim::Crash&) {
    EXPECT_NE(outcome, Outcome::kAnswerLost);
  }
  return fault.happened;
}

std::string point(int at, Outcome outcome) {
  return "call " + std::to_string(at) + ", outcome " + std::to_string(static_cast<int>(outcome));
}

int crash_at_every_call(const std::function<void(World&)>& prepare, const Workflow& workflow) {
  int points = 0;
  for (const Outcome outcome : sim::kOutcomes) {
    for (int at = 0;; at += kStride) {
      SCOPED_TRACE(point(at, outcome));
      World world;
      prepare(world);
      if (!run_with(world, workflow, at, outcome)) break;
      world.expect_all_is_well();
      ++points;
      if (testing::Test::HasFailure()) return points;
    }
  }
  return points;
}

// Every call fails once, and is never carried out, or is so later: at once, or after some others.
int delay_every_call(const std::function<void(World&)>& prepare, const Workflow& workflow) {
  int points = 0;
  for (const std::optional<int> later : {std::optional<int>(), std::optional(1), std::optional(2), std::optional(3), std::optional(8)}) {
    for (int at = 0;; at += kStride) {
      SCOPED_TRACE("call " + std::to_string(at) + " is carried out " + (later ? std::to_string(*later) + " calls later" : "never"));
      World world;
      prepare(world);
      bool happened = false;
      {
        LateStore store(world.watched, at, later);
        const Status ended = workflow(world, store);
        EXPECT_TRUE(ended.ok()) << ended.error().message;
        happened = store.happened();
      }
      if (!happened) break;
      world.expect_all_is_well();
      ++points;
      if (testing::Test::HasFailure()) return points;
    }
  }
  return points;
}

// Paused before each call until it is collected; if it had been an agent, it then changes nothing and is told so.
int pause_at_every_call(const std::function<void(World&)>& prepare, const Workflow& workflow, const std::string& name) {
  int points = 0;
  for (int at = 0;; at += kStride) {
    SCOPED_TRACE("paused before call " + std::to_string(at));
    World world;
    prepare(world);
    bool was_an_agent = false;
    std::map<std::string, std::string> left;
    InterruptedStore store(world.watched, at, [&] {
      was_an_agent = world.has_agent(name);
      world.recover();
      left = everything_in(world.store);
    });
    const Status ended = workflow(world, store);
    if (!store.has_happened()) break;
    if (was_an_agent) {
      EXPECT_EQ(left, everything_in(world.store));
      EXPECT_TRUE(ended.ok() || ended.error().kind == Error::Kind::kFenced) << ended.error().message;
    }
    world.expect_all_is_well();
    ++points;
    if (testing::Test::HasFailure()) return points;
  }
  return points;
}

TEST(CrashOfAgents, AtEveryCallOfAnAgentsLifeForgetsNothing) {
  const int points = crash_at_every_call([](World&) {}, live_as_worker);
  std::cout << "crash points of an agent's life: " << points << '\n';
  EXPECT_GT(points, 60 / kStride);
}

TEST(CrashOfAgents, AtEveryCallOfACollectorForgetsNothing) {
  const int points = crash_at_every_call(leave_a_dead_agent, collector("collector"));
  std::cout << "crash points of a collector: " << points << '\n';
  EXPECT_GT(points, 60 / kStride);
}

// A collector dies after each of its calls, and `run` tells what becomes of the next, which collects it and goes on with what it began.
int after_every_death_of_the_first(const std::function<int(const std::function<void(World&)>&)>& run) {
  int points = 0;
  for (int at = 0;; ++at) {
    SCOPED_TRACE("the first collector died after call " + std::to_string(at));
    bool died = false;
    points += run([&](World& world) {
      leave_a_dead_agent(world);
      died = run_with(world, collector("first"), at, Outcome::kStopAfter);
    });
    if (!died || testing::Test::HasFailure()) return points;
  }
}

TEST(CrashOfAgents, AtEveryCallOfACollectorsCollectorForgetsNothing) {
  const int points = after_every_death_of_the_first([](const auto& prepare) { return crash_at_every_call(prepare, collector("second")); });
  std::cout << "pairs of crash points of two collectors: " << points << '\n';
  EXPECT_GT(points, 3600 / kStride);
}

TEST(LateCalls, OfAnAgentsLifeForgetNothing) {
  const int points = delay_every_call([](World&) {}, live_as_worker);
  std::cout << "late calls of an agent: " << points << '\n';
  EXPECT_GT(points, 90 / kStride);
}

TEST(LateCalls, OfACollectorForgetNothing) {
  const int points = delay_every_call(leave_a_dead_agent, collector("collector"));
  std::cout << "late calls of a collector: " << points << '\n';
  EXPECT_GT(points, 150 / kStride);
}

TEST(LateCalls, OfACollectorsCollectorForgetNothing) {
  const int points = after_every_death_of_the_first([](const auto& prepare) { return delay_every_call(prepare, collector("second")); });
  std::cout << "late calls of a collector's collector: " << points << '\n';
  EXPECT_GT(points, 6000 / kStride);
}

TEST(PausedAgents, WakeAfterTheirCollectionAndChangeNothing) {
  const int points = pause_at_every_call([](World&) {}, live_as_worker, "worker");
  std::cout << "pauses of an agent: " << points << '\n';
  EXPECT_GT(points, 20 / kStride);
}

TEST(PausedAgents, ThatCollectACollectorWakeAfterTheirOwnCollectionAndChangeNothing) {
  const int points =
      after_every_death_of_the_first([](const auto& prepare) { return pause_at_every_call(prepare, collector("second"), "second"); });
  std::cout << "pauses of a collector's collector: " << points << '\n';
  EXPECT_GT(points, 1200 / kStride);
}

TEST(PausedAgents, ThatCollectWakeAfterTheirOwnCollectionAndChangeNothing) {
  const int points = pause_at_every_call(leave_a_dead_agent, collector("collector"), "collector");
  std::cout << "pauses of a collector: " << points << '\n';
  EXPECT_GT(points, 20 / kStride);
}

}  // namespace
}  // namespace reclaim::test
