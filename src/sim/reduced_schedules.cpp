#include "sim/reduced_schedules.hpp"

#include <algorithm>
#include <utility>

#include "base/result.hpp"

namespace reclaim::sim {

bool ReducedSchedules::next() {
  path_.clear();
  preemptions_ = 0;
  actors_.clear();
  trace_ = {};
  is_broken_off_ = false;
  start_ = {};
  return !std::exchange(has_begun_, true) || take_start();
}

// Fewest preemptions first, so that a state is seldom come to again at a lower price.
bool ReducedSchedules::take_start() {
  for (auto level = waiting_.begin(); level != waiting_.end();) {
    if (level->empty()) {
      level = go_back_to_passed() ? waiting_.begin() : level + 1;
      continue;
    }
    start_ = std::move(level->back());
    level->pop_back();
    if (seen_.at(start_.state) == start_.preemptions) return true;
  }
  return false;
}

bool ReducedSchedules::is_another() {
  const bool is_another = !is_broken_off_ && ends_.insert(trace_.number()).second;
  ++(is_another ? runs_ : left_out_);
  return is_another;
}

Director ReducedSchedules::director() {
  return [this](const Cue& cue) { return decide(cue); };
}

Decision ReducedSchedules::decide(const Cue& cue) {
  if (cue.current) actors_[*cue.current].before = *cue.call;
  check(!cue.is_held || (cue.current && cue.call->touches.empty()), "what a transaction keeps others from is all that it touches");
  std::optional<std::size_t> chosen;
  if (path_.size() < start_.path.size()) {
    chosen = start_.path[path_.size()];
  } else {
    chosen = cue.is_held ? cue.current : choose(cue);
  }
  is_broken_off_ = !chosen;
  if (!chosen) return {.actor = cue.ready.front(), .is_end = true};
  go_on(cue, *chosen);
  return {.actor = *chosen};
}

std::optional<std::size_t> ReducedSchedules::choose(const Cue& cue) {
  if (cue.current) {
    offer_preemptions(cue);
    return comes_first_to(start_with(*cue.current, preemptions_, std::nullopt)) ? cue.current : std::nullopt;
  }
  std::optional<std::size_t> chosen;
  for (const std::size_t actor : cue.ready) {
    if (actors_[actor].was_preempted_for_nothing) continue;
    Start start = start_with(actor, preemptions_, std::nullopt);
    if (chosen) {
      offer(std::move(start));
    } else if (comes_first_to(start)) {
      chosen = actor;
    }
  }
  return chosen;
}

void ReducedSchedules::offer_preemptions(const Cue& cue) {
  if (preemptions_ + 1 == waiting_.size()) return;
  Passed place{.actor = *cue.current, .call = *cue.call};
  for (const std::size_t actor : cue.ready) {
    if (actor == place.actor) continue;
    place.others[actor] = actors_[actor].calls;
    if (!actors_[actor].was_preempted_for_nothing) place.starts.push_back(start_with(actor, preemptions_ + 1, place.actor));
  }
  if (place.starts.empty() || place.call.touches.empty()) return;
  if (!is_touched_by_others(place)) {
    passed_.push_back(std::move(place));
    return;
  }
  for (Start& start : place.starts) offer_preemption(std::move(start));
}

void ReducedSchedules::go_on(const Cue& cue, std::size_t chosen) {
  path_.push_back(static_cast<std::uint8_t>(chosen));
  if (cue.current && chosen != *cue.current) {
    ++preemptions_;
    actors_[*cue.current].was_preempted_for_nothing = true;
  }
  check(!actors_[chosen].was_preempted_for_nothing, "the same decisions led elsewhere: a run depends on something besides them");
  if (actors_[chosen].before) make_call(chosen);
}

void ReducedSchedules::make_call(std::size_t actor) {
  Standing& self = actors_[actor];
  const Call call = *std::exchange(self.before, std::nullopt);
  ++self.calls;
  trace_.add(actor, call);
  for (const Touch& touch : call.touches) {
    std::size_t& last = touched_[touch.object][actor].at(static_cast<std::size_t>(touch.how));
    is_more_touched_ |= last < self.calls;
    last = std::max(last, self.calls);
  }
  for (auto& [other, standing] : actors_) {
    if (standing.was_preempted_for_nothing && conflict(*standing.before, call)) standing.was_preempted_for_nothing = false;
  }
}

// With `actor` going on from here, in whose favour another is preempted or not. One that has not begun makes no call by that.
ReducedSchedules::Start ReducedSchedules::start_with(std::size_t actor, std::size_t preemptions,
                                                     std::optional<std::size_t> preempted) const {
  const auto self = actors_.find(actor);
  const bool has_begun = self != actors_.end() && self->second.before.has_value();
  Start start{.path = path_, .preemptions = preemptions, .state = mix(mix(trace_.number() + actor) + (has_begun ? 1 : 0))};
  start.path.push_back(static_cast<std::uint8_t>(actor));
  for (const auto& [other, standing] : actors_) {
    if (standing.was_preempted_for_nothing || other == preempted) start.state = mix(start.state + other + 1);
  }
  return start;
}

bool ReducedSchedules::comes_first_to(const Start& start) {
  const auto [known, is_new] = seen_.try_emplace(start.state, start.preemptions);
  const bool is_first = is_new || start.preemptions < known->second;
  known->second = std::min(known->second, start.preemptions);
  return is_first;
}

void ReducedSchedules::offer(Start start) {
  if (comes_first_to(start)) waiting_.at(start.preemptions).push_back(std::move(start));
}

void ReducedSchedules::offer_preemption(Start start) {
  const bool is_last = start.preemptions + 1 == waiting_.size();
  if (!is_last || start.state % part_.of == part_.number) {
    offer(std::move(start));
  } else if (comes_first_to(start)) {
    ++other_parts_;
  }
}

bool ReducedSchedules::is_touched_by_others(const Passed& place) const {
  return std::ranges::any_of(place.call.touches, [&](const Touch& touch) {
    const auto object = touched_.find(touch.object);
    if (object == touched_.end()) return false;
    return std::ranges::any_of(place.others, [&](const auto& other) {
      const auto lasts = object->second.find(other.first);
      if (lasts == object->second.end()) return false;
      return std::ranges::any_of(kHows, [&](Touch::How how) {
        return conflict(touch.how, how) && lasts->second.at(static_cast<std::size_t>(how)) > other.second;
      });
    });
  });
}

bool ReducedSchedules::go_back_to_passed() {
  if (!std::exchange(is_more_touched_, false)) return false;
  std::vector<Passed> still;
  for (Passed& place : passed_) {
    if (!is_touched_by_others(place)) {
      still.push_back(std::move(place));
      continue;
    }
    for (Start& start : place.starts) offer_preemption(std::move(start));
  }
  passed_ = std::move(still);
  return true;
}

}  // namespace reclaim::sim
