// Interleavings (rung 2): actors that share a world, of which one runs at a time and hands over only where it calls a port.
//
// An actor is the code of a process, on a thread of its own that runs only while it has the turn. The decorators of the ports
// (staged_store, staged_database) bring it to arrive() before each call; there the director says who goes on, and whether somebody dies.
// So one list of decisions is one run, and is the same run again: nothing else is left to chance. What an actor does between two calls is
// seen by nobody, which is why no other place to hand over is needed.
//
// Two things happen besides: an actor may wait for another (a database that is one at a time), and is not asked for until that is over;
// and one whose director says `dies` sees a Crash at its call, which is not made.
// (Musuvathi and Qadeer, "Iterative context bounding for systematic testing of multithreaded programs", PLDI 2007.)
//
// Who may call: play() once, the rest by actors on their own threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/calls.hpp"

namespace reclaim::sim {

// Somebody has to go on.
struct Cue {
  std::size_t step = 0;                // decisions so far
  std::optional<std::size_t> current;  // who stands before a call; nobody: it has ended, or has to wait
  std::vector<std::size_t> ready;      // who can go on, ascending, with the current one; never empty
  const Call* call = nullptr;          // of the current one
  bool is_held = false;                // somebody has taken what others may have to wait for
};
struct Decision {
  std::size_t actor = 0;
  bool dies = false;
  bool is_end = false;  // of the run: all die
};
using Director = std::function<Decision(const Cue&)>;

// What one reads of a run: `cleaner: replace segment/17-1: done`.
struct Line {
  std::size_t actor = 0;
  std::string what;
};

class Stage {
 public:
  static constexpr std::size_t kStepsMax = 100'000;  // a run that does not end by then has a fault: all its actors die

  // In order: the number of an actor is its place.
  void add(std::string name, std::function<void()> part);
  // To the end of the last one. False: not by then.
  bool play(const Director& director);

  void arrive(const Call& call);
  // What one does and the others wait for. Given back by who had it, also when it dies.
  void take(const void* thing);
  void give(const void* thing);
  // How the call ended.
  void note(const std::string& how);

  const std::vector<Line>& lines() const { return lines_; }
  const std::string& name_of(std::size_t actor) const { return actors_.at(actor).name; }
  // One line of text each.
  std::string told() const;

 private:
  enum class State { kReady, kWaiting, kEnded };
  struct Actor {
    std::string name;
    std::function<void()> part;
    State state = State::kReady;
    const void* waits_for = nullptr;
    bool dies = false;
    std::condition_variable has_turn = {};
  };

  void live(std::size_t self);
  void choose(std::optional<std::size_t> current, const Call* call = nullptr);
  void wait_for_turn(std::unique_lock<std::mutex>& lock, std::size_t self);

  std::deque<Actor> actors_;
  const Director* director_ = nullptr;

  std::mutex mutex_;  // guards what follows, and the states of actors
  std::optional<std::size_t> turn_;
  std::vector<const void*> taken_;
  std::size_t steps_ = 0;
  bool is_over_ = false;
  std::vector<Line> lines_;
};

}  // namespace reclaim::sim
