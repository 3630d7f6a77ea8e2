#include "sim/schedules.hpp"

#include <algorithm>
#include <iterator>

#include "base/result.hpp"

namespace reclaim::sim {

Director BoundedSchedules::director() {
  ++runs_;
  depth_ = 0;
  return [this](const Cue& cue) { return decide(cue); };
}

Decision BoundedSchedules::decide(const Cue& cue) {
  if (depth_ == path_.size()) {
    Point point{.is_current_first = cue.current.has_value()};
    if (cue.current) point.choices.push_back(*cue.current);
    for (const std::size_t actor : cue.ready) {
      if (actor != cue.current) point.choices.push_back(actor);
    }
    if (!path_.empty()) point.preemptions = path_.back().preemptions + cost(path_.back());
    path_.push_back(std::move(point));
  }
  const Point& point = path_[depth_++];
  check(point.choices.size() == cue.ready.size(), "the same decisions led elsewhere: a run depends on something besides them");
  return {.actor = point.choices[point.taken]};
}

bool BoundedSchedules::next() {
  for (; !path_.empty(); path_.pop_back()) {
    Point& last = path_.back();
    const bool is_affordable = !last.is_current_first || last.preemptions < preemptions_max_;
    if (last.taken + 1 == last.choices.size() || !is_affordable) continue;
    ++last.taken;
    return true;
  }
  return false;
}

Director SeededSchedule::director() {
  return [this](const Cue& cue) { return decide(cue); };
}

Decision SeededSchedule::decide(const Cue& cue) {
  pause_some(cue);
  std::vector<std::size_t> awake;
  std::ranges::copy_if(cue.ready, std::back_inserter(awake), [this](std::size_t actor) { return !paused_.contains(actor); });
  const bool goes_on = cue.current && !paused_.contains(*cue.current) && !happens(options_.switch_percent, 100);
  const std::size_t actor = goes_on ? *cue.current : awake[random_() % awake.size()];
  const bool dies = options_.deaths_max > 0 && happens(options_.death_permille, 1000);
  if (dies) --options_.deaths_max;
  return {.actor = actor, .dies = dies};
}

void SeededSchedule::pause_some(const Cue& cue) {
  if (cue.current && options_.pauses_max > 0 && happens(options_.pause_permille, 1000)) {
    --options_.pauses_max;
    paused_.insert(*cue.current);
  }
  const bool all_are = std::ranges::all_of(cue.ready, [this](std::size_t actor) { return paused_.contains(actor); });
  if (all_are) paused_.clear();
}

}  // namespace reclaim::sim
