// Who decides on a stage: every schedule of few preemptions, one after the other (sim/reduced_schedules.hpp leaves out what is the same),
// or one by a seed.
//
// A preemption takes the turn from an actor that could have gone on. Faults of concurrency need few of them, so all schedules with up to
// two say more than many random ones. (Musuvathi and Qadeer 2007; for the seeds: Burckhardt et al., "A randomized scheduler with
// probabilistic guarantees of finding bugs", ASPLOS 2010.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "sim/stage.hpp"

namespace reclaim::sim {

// All of them, depth first. Each run must begin in the same state: then the same decisions lead to the same cues, which is checked.
class BoundedSchedules {
 public:
  explicit BoundedSchedules(std::size_t preemptions_max) : preemptions_max_(preemptions_max) {}

  // For one run.
  Director director();
  // False: that was the last one.
  bool next();
  std::size_t runs() const { return runs_; }

 private:
  struct Point {
    std::vector<std::size_t> choices;  // the current actor first, where there is one
    std::size_t taken = 0;
    bool is_current_first = false;
    std::size_t preemptions = 0;  // before this one
  };
  Decision decide(const Cue& cue);
  std::size_t cost(const Point& point) const { return point.is_current_first && point.taken > 0 ? 1 : 0; }

  std::size_t preemptions_max_;
  std::size_t runs_ = 0;
  std::size_t depth_ = 0;
  std::vector<Point> path_;
};

struct SeededOptions {
  std::uint32_t switch_percent = 20;  // of the calls, somebody else goes on
  std::uint32_t deaths_max = 0;
  std::uint32_t death_permille = 5;  // of the calls
  std::uint32_t pauses_max = 0;      // each until nobody else can go on: longer than any timeout
  std::uint32_t pause_permille = 5;  // of the calls
};

// The same seed, the same decisions.
class SeededSchedule {
 public:
  SeededSchedule(std::uint64_t seed, SeededOptions options) : random_(seed), options_(options) {}
  Director director();

 private:
  Decision decide(const Cue& cue);
  void pause_some(const Cue& cue);
  bool happens(std::uint32_t of, std::uint32_t in) { return random_() % in < of; }

  std::mt19937_64 random_;
  SeededOptions options_;
  std::set<std::size_t> paused_;
};

}  // namespace reclaim::sim
