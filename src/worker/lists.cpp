#include "worker/lists.hpp"

#include <algorithm>
#include <limits>

namespace reclaim::worker {

std::vector<std::size_t> Lists::start(std::int64_t mark, Instant now) {
  std::vector<std::size_t> started;
  for (std::size_t i = 0; i < drivers_.size(); ++i) {
    Driver& driver = drivers_[i];
    if (driver.running) continue;
    driver.running = true;
    driver.started = now;
    driver.began_under = mark;
    started.push_back(i);
  }
  return started;
}

void Lists::finished(std::size_t driver, const Status& outcome, Instant now) {
  Driver& ended = drivers_[driver];
  check(ended.running, "a finished list was running");
  ended.running = false;
  ended.slow = now - ended.started > patience_;
  ended.at_hand = outcome.ok();
  ended.mark = ended.began_under;
  ended.failure = outcome.ok() ? std::nullopt : std::optional(outcome.error());
}

std::optional<Instant> Lists::waits_until() const {
  std::optional<Instant> until;
  for (const Driver& driver : drivers_) {
    if (driver.running && !driver.slow) until = std::max(until.value_or(driver.started), driver.started + patience_);
  }
  return until;
}

std::optional<Error> Lists::trouble(std::size_t driver, Instant now) const {
  const Driver& asked = drivers_[driver];
  if (asked.running && now - asked.started >= kListOverdue) return unavailable("its list does not come back");
  return asked.failure;
}

std::int64_t Lists::carry(const std::vector<std::size_t>& drivers) {
  std::int64_t mark = std::numeric_limits<std::int64_t>::max();
  for (const std::size_t i : drivers) {
    check(drivers_[i].at_hand, "a listing that is carried is at hand");
    drivers_[i].at_hand = false;
    mark = std::min(mark, drivers_[i].mark);
  }
  return mark;
}

void Lists::forget_marks() {
  for (Driver& driver : drivers_) driver.began_under = driver.mark = 0;
}

}  // namespace reclaim::worker
