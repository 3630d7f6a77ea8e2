// A story of the archive: a process that does something and meets a fault, and those who come after it.
//
// The fault is met once, in every way at every call. Or the process has lost an answer, and meets another fault at one of the calls that
// follow. Or whoever collects it, sweeps and cleans up after it meets one, too (crash/pairs.hpp). Then somebody ends it, unhindered.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "crash/pairs.hpp"
#include "sim/faulty_store.hpp"
#include "support/archive_world.hpp"

namespace reclaim::test {

enum class Whose { kNobodys, kItsOwn, kItsOwnAfterAnOutage, kTheNext };

// Who met what, and all their calls.
inline std::string told(const char* name, const sim::Fault& first, const sim::Fault& second, Whose whose) {
  const std::string one = std::string(name) + ": one is ";
  switch (whose) {
    case Whose::kNobodys: return one + in_words(first);
    case Whose::kItsOwn: return one + in_words(first) + "and later " + in_words(second);
    case Whose::kItsOwnAfterAnOutage: return one + "without a store from call " + std::to_string(first.at) + ", then " + in_words(second);
    case Whose::kTheNext: return one + in_words(first) + "the next is " + in_words(second);
  }
  return "";
}

template <class World>
struct Story {
  using Doing = std::function<void(World&, ports::Database&, ports::ObjectStore&)>;

  const char* name;
  Doing act;
  std::function<void(World&, Process&)> finish;  // the rest, after all passes have run
  Doing follow = {};                             // what those who come after it do besides their passes
};

// A store that answers nothing for a while: the first of those calls is done all the same, the others are not.
class Outage : public ports::ObjectStore {
 public:
  Outage(ports::ObjectStore& inner, int from) : inner_(inner), from_(from) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override {
    std::vector<ports::StoreAnswer> answers;
    for (const ports::StoreCall& call : calls) {
      const bool is_away = arrive();
      if (!is_away || calls_ == from_ + 1) answers.push_back(inner_.run(std::span(&call, 1)).front());
      if (is_away && calls_ == from_ + 1) answers.pop_back();
      if (is_away) answers.push_back(unavailable("the store is away"));
    }
    return answers;
  }
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override {
    if (arrive()) return unavailable("the store is away");
    return inner_.list(kind, after, limit);
  }
  bool has_begun() const { return calls_ > from_; }

 private:
  static constexpr int kCalls = 8;

  bool arrive() {
    ++calls_;
    return calls_ > from_ && calls_ <= from_ + kCalls;
  }

  ports::ObjectStore& inner_;
  int from_;
  int calls_ = 0;
};

// Whoever comes next, until its fault.
template <class World>
void come_next(const Story<World>& story, World& world, sim::Fault& fault) {
  constexpr int kLooksUntilDead = 3;  // of a third of the timeout
  sim::Fault later;
  sim::FaultyStore store(world.store, later, static_cast<std::uint64_t>(fault.at));
  sim::FaultyDatabase database(*world.database, later);
  Process next(database, store, "next");
  for (int look = 0; look < kLooksUntilDead; ++look) (void)next.collect();
  later = fault;
  try {
    for (int round = 0; round < 2; ++round) {
      (void)next.collect();
      (void)next.sweep.run(Process::kBudget);
      (void)next.clean();
    }
    if (story.follow) story.follow(world, database, store);
  } catch (const sim::Crash&) {
  }
  fault = later;
}

template <class World>
Met run_story(const Story<World>& story, sim::Fault first, sim::Fault second, Whose whose) {
  World world;
  sim::Fault none;
  if (whose == Whose::kItsOwnAfterAnOutage) {
    sim::FaultyStore inner(world.store, second, static_cast<std::uint64_t>(second.at));
    Outage store(inner, first.at);
    try {
      story.act(world, *world.database, store);
    } catch (const sim::Crash&) {
    }
    first.happened = store.has_begun();
  } else {
    sim::Fault& own = whose == Whose::kItsOwn ? second : none;
    sim::FaultyStore inner(world.store, own, static_cast<std::uint64_t>(second.at));
    sim::FaultyDatabase inner_database(*world.database, own);
    sim::FaultyStore store(inner, first, static_cast<std::uint64_t>(first.at));
    sim::FaultyDatabase database(inner_database, first);
    try {
      story.act(world, database, store);
    } catch (const sim::Crash&) {
    }
  }
  if (whose == Whose::kTheNext) come_next(story, world, second);
  Process last(*world.database, world.store, "last");
  (void)last.run_all();
  story.finish(world, last);
  world.expect_final(told(story.name, first, second, whose));
  return {first.happened, second.happened};
}

template <class World>
int crash_once(const Story<World>& story) {
  int runs = 0;
  for (int at = 0;; at += stride_of(1)) {
    for (const sim::Outcome outcome : sim::kOutcomes) {
      if (!run_story(story, {.at = at, .outcome = outcome}, {}, Whose::kNobodys).first || testing::Test::HasFailure()) return runs;
      ++runs;
    }
  }
}

// What a process does about a lost answer, or about a store that was away, is interrupted, too.
template <class World>
int crash_after_silence(const Story<World>& story, Whose whose, int calls_that_follow) {
  int turn = 0;
  for (int at = 0;; at += stride_of(1)) {
    for (int later = 1; later <= calls_that_follow; ++later, ++turn) {
      const sim::Fault second{.at = at + later, .outcome = sim::kOutcomes[turn % 3]};
      const Met met = run_story(story, {.at = at, .outcome = sim::Outcome::kAnswerLost}, second, whose);
      if (!met.first || testing::Test::HasFailure()) return turn;
    }
  }
}

template <class World>
void crash_in_every_way(const Story<World>& story, int usual_stride) {
  const int once = crash_once(story);
  const int lost = crash_after_silence(story, Whose::kItsOwn, 6);
  const int stride = stride_of(usual_stride);
  const int pairs = crash_in_pairs(
      stride, [&](const sim::Fault& first, const sim::Fault& second) { return run_story(story, first, second, Whose::kTheNext); });
  std::printf("crash points: archive, %s: %d, after a lost answer: %d, pairs: %d, every %d of them, ends in turn\n", story.name, once, lost,
              pairs, stride);
}

}  // namespace reclaim::test
