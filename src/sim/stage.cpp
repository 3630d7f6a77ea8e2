#include "sim/stage.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/result.hpp"
#include "sim/crash.hpp"

namespace reclaim::sim {

void Stage::add(std::string name, std::function<void()> part) {
  Actor& actor = actors_.emplace_back();
  actor.name = std::move(name);
  actor.part = std::move(part);
}

bool Stage::play(const Director& director) {
  director_ = &director;
  {
    const std::lock_guard lock(mutex_);
    choose(std::nullopt);
  }
  std::vector<std::jthread> threads;
  threads.reserve(actors_.size());
  for (std::size_t i = 0; i < actors_.size(); ++i) threads.emplace_back([this, i] { live(i); });
  threads.clear();
  return steps_ < kStepsMax;
}

void Stage::live(std::size_t self) {
  try {
    {
      std::unique_lock lock(mutex_);
      wait_for_turn(lock, self);
    }
    actors_[self].part();
  } catch (const Crash&) {
    note("dies");
  }
  const std::lock_guard lock(mutex_);
  actors_[self].state = State::kEnded;
  choose(std::nullopt);
}

void Stage::arrive(const Call& call) {
  std::unique_lock lock(mutex_);
  const std::size_t self = turn_.value();
  choose(self, &call);
  wait_for_turn(lock, self);
  lines_.push_back({self, call.what});
}

void Stage::take(const void* thing) {
  std::unique_lock lock(mutex_);
  const std::size_t self = turn_.value();
  while (std::ranges::find(taken_, thing) != taken_.end()) {
    actors_[self].state = State::kWaiting;
    actors_[self].waits_for = thing;
    choose(std::nullopt);
    wait_for_turn(lock, self);
  }
  taken_.push_back(thing);
}

void Stage::give(const void* thing) {
  const std::lock_guard lock(mutex_);
  std::erase(taken_, thing);
  for (Actor& actor : actors_) {
    if (actor.state == State::kWaiting && actor.waits_for == thing) actor.state = State::kReady;
  }
}

void Stage::note(const std::string& how) {
  const std::lock_guard lock(mutex_);
  lines_.push_back({turn_.value(), "  " + how});
}

void Stage::choose(std::optional<std::size_t> current, const Call* call) {
  Cue cue{.step = steps_, .current = current, .call = call, .is_held = !taken_.empty()};
  for (std::size_t i = 0; i < actors_.size(); ++i) {
    if (actors_[i].state == State::kReady) cue.ready.push_back(i);
  }
  turn_.reset();
  if (cue.ready.empty()) return;
  is_over_ |= steps_ == kStepsMax;
  const Decision decision = is_over_ ? Decision{.actor = cue.ready.front(), .dies = true} : (*director_)(cue);
  check(std::ranges::binary_search(cue.ready, decision.actor), "the director named an actor that cannot go on");
  if (!is_over_) ++steps_;
  is_over_ |= decision.is_end;
  turn_ = decision.actor;
  actors_[decision.actor].dies = decision.dies || decision.is_end;
  if (turn_ != current) actors_[decision.actor].has_turn.notify_one();
}

void Stage::wait_for_turn(std::unique_lock<std::mutex>& lock, std::size_t self) {
  actors_[self].has_turn.wait(lock, [&] { return turn_ == self; });
  if (std::exchange(actors_[self].dies, false)) throw Crash{};
}

std::string Stage::told() const {
  std::string text;
  for (const Line& line : lines_) {
    text += actors_.at(line.actor).name;
    text += ": ";
    text += line.what;
    text += '\n';
  }
  return text;
}

}  // namespace reclaim::sim
