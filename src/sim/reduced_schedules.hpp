// Every run of few preemptions but those that differ from one of them only in the order of calls that do not conflict (sim/calls.hpp).
//
// An actor is preempted only before a call that conflicts with one that others make before it goes on: otherwise it could as well have made
// that call first. And from where a run has come to, with the same preemptions or fewer left, no other goes on that came there by other
// ways: one that finds itself there is broken off. What others will touch is not known beforehand; it is gathered from all runs, and a
// place that was passed over is gone back to when one of them touches more.
//
// While an actor holds something for itself (an open transaction) nobody else goes on; what others could do meanwhile is for the seeds.
// (Coons, Musuvathi and McKinley, "Bounded partial-order reduction", OOPSLA 2013; Musuvathi and Qadeer, "Partial-order reduction for
// context-bounded state exploration", 2007.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sim/calls.hpp"
#include "sim/stage.hpp"

namespace reclaim::sim {

// Of the schedules that use up all preemptions, one part of so many: a sample. Those of fewer are in every part.
struct Part {
  std::size_t number = 0;
  std::size_t of = 1;
};

// Each run must begin in the same state, with the same actors.
class ReducedSchedules {
 public:
  explicit ReducedSchedules(std::size_t preemptions_max, Part part = {}) : waiting_(preemptions_max + 1), part_(part) {}

  // Before each run. False: there is no other.
  bool next();
  // For one run.
  Director director();
  // After it. False: it is the same as another one, broken off where that was clear, and its end says nothing new.
  bool is_another();

  std::size_t runs() const { return runs_; }                // of which none is the same as another
  std::size_t left_out() const { return left_out_; }        // begun, and found to be the same
  std::size_t other_parts() const { return other_parts_; }  // places to begin at, at least, that belong to other parts
  // Distinct ones that runs came to: what has happened so far, who goes on, and who was preempted for nothing yet.
  std::size_t states() const { return seen_.size(); }

 private:
  using Actors = std::vector<std::uint8_t>;
  struct Start {  // of a run: whom to choose, one after the other
    Actors path;
    std::size_t preemptions = 0;
    std::uint64_t state = 0;  // where that leads
  };
  // Where nobody was preempted because nobody else was known to touch what the call touches.
  struct Passed {
    std::size_t actor;
    Call call;
    std::map<std::size_t, std::size_t> others;  // who else could have gone on, and how many calls they had made
    std::vector<Start> starts;
  };
  struct Standing {  // of an actor in this run
    std::optional<Call> before;
    std::size_t calls = 0;                   // made
    bool was_preempted_for_nothing = false;  // so far
  };

  bool take_start();
  Decision decide(const Cue& cue);
  std::optional<std::size_t> choose(const Cue& cue);
  void offer_preemptions(const Cue& cue);
  void go_on(const Cue& cue, std::size_t chosen);
  void make_call(std::size_t actor);

  Start start_with(std::size_t actor, std::size_t preemptions, std::optional<std::size_t> preempted) const;
  bool comes_first_to(const Start& start);
  void offer(Start start);
  void offer_preemption(Start start);
  bool is_touched_by_others(const Passed& place) const;
  bool go_back_to_passed();

  std::vector<std::vector<Start>> waiting_;              // by preemptions
  std::unordered_map<std::uint64_t, std::size_t> seen_;  // state -> the fewest preemptions it took
  std::vector<Passed> passed_;
  // Object -> of each actor, by how: the number of its last call that touched it, in any run; from 1.
  std::unordered_map<std::string, std::map<std::size_t, std::array<std::size_t, kHows.size()>>> touched_;
  bool is_more_touched_ = false;
  bool has_begun_ = false;
  std::size_t runs_ = 0;
  std::size_t left_out_ = 0;
  std::size_t other_parts_ = 0;
  Part part_;
  std::unordered_set<std::uint64_t> ends_;

  // Of this run.
  Start start_;
  Actors path_;
  std::size_t preemptions_ = 0;
  std::map<std::size_t, Standing> actors_;
  Trace trace_;
  bool is_broken_off_ = false;
};

}  // namespace reclaim::sim
