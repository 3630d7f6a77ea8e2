// Service time: how long servers have served, kept in the database and moved forward by the one that holds the claim.
//
// Every stored deadline is service time. It stands still while no server serves; a server that was suspended, or whose clock was set,
// moves it by at most one gap length. After a gap (nobody is known to have moved it, or a step came late) no clock that began before
// runs out until serving has gone on for one full worker expiry (served_since; fleet: Moment). Between two ticks a server goes on by
// its own monotonic clock, never further than one gap length.
//
// A crash loses at most one step of time: deadlines come that much later. A lost answer loses and adds none: each step says where it
// leads, not how far. Who may call: one thread at a time.
#pragma once

#include <optional>

#include "agents/claims.hpp"
#include "base/time.hpp"

namespace reclaim::agents {

inline constexpr Millis kServiceGap{5000};

class ServiceClock {
 public:
  ServiceClock(ports::Database& database, Claimant& claimant) : database_(database), claimant_(claimant) {}

  // Moves time forward if the claim is ours, reads it otherwise. To be called about every second.
  Status tick(Instant now);
  // As tick(), after seizing the claim.
  Status seize(Instant now);

  struct Reading {
    ServiceTime now;
    ServiceTime served_since;
  };
  Reading read(Instant now) const;
  // The last tick that worked is no longer ago than a gap.
  bool is_fresh(Instant now) const { return ticked_at_ && now - *ticked_at_ <= kServiceGap; }
  // The epoch under which this server may act for all, while it may.
  std::optional<std::int64_t> epoch() const { return epoch_; }

 private:
  Status follow(Instant now);
  Status advance(Instant now, std::int64_t epoch);
  Result<ports::Rows> move(Instant now, std::int64_t epoch);

  ports::Database& database_;
  Claimant& claimant_;
  std::optional<Instant> ticked_at_;
  std::optional<std::int64_t> epoch_;
  Reading base_{};
};

}  // namespace reclaim::agents
