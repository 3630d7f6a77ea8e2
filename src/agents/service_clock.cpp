#include "agents/service_clock.hpp"

#include <algorithm>

#include "ports/statements.hpp"

namespace reclaim::agents {

Status ServiceClock::tick(Instant now) {
  const std::optional<std::int64_t> epoch = TRY(claimant_.keep(now));
  return epoch ? advance(now, *epoch) : follow(now);
}

Status ServiceClock::seize(Instant now) {
  const std::optional<std::int64_t> epoch = TRY(claimant_.seize());
  return epoch ? advance(now, *epoch) : follow(now);
}

Status ServiceClock::follow(Instant now) {
  epoch_.reset();
  const ports::Rows rows = TRY(database_.run(sql::clock_read, ports::Values{}));
  if (rows.empty()) return corrupt("the service clock's row is gone");
  base_ = {{rows[0].integer(0)}, {rows[0].integer(1)}};
  ticked_at_ = now;
  return done();
}

// Whoever takes the clock over cannot know how long nobody moved it: that is a gap. So is a step of our own that came late.
Result<ports::Rows> ServiceClock::move(Instant now, std::int64_t epoch) {
  const ports::Values claim{claimant_.claim(), claimant_.holder(), epoch};
  if (epoch_ != epoch || !ticked_at_) return database_.run(sql::clock_take_over, claim);
  const Millis passed = now - *ticked_at_;
  const ServiceTime reached = base_.now + std::min(passed, kServiceGap);
  ports::Values step{base_.now.ms, reached.ms, std::int64_t{passed > kServiceGap}};
  step.insert(step.end(), claim.begin(), claim.end());
  return database_.run(sql::clock_advance, step);
}

// A step that finds the claim gone, or the time of another database than the one it knew, does nothing; the next tick begins anew.
Status ServiceClock::advance(Instant now, std::int64_t epoch) {
  const ports::Rows rows = TRY(move(now, epoch));
  if (rows.empty()) return follow(now);
  base_ = {{rows[0].integer(0)}, {rows[0].integer(1)}};
  epoch_ = epoch;
  ticked_at_ = now;
  return done();
}

ServiceClock::Reading ServiceClock::read(Instant now) const {
  if (!ticked_at_) return base_;
  return {base_.now + std::clamp(now - *ticked_at_, Millis(0), kServiceGap), base_.served_since};
}

}  // namespace reclaim::agents
