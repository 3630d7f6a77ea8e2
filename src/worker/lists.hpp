// The lists of a worker's drivers, each running on its own: which to start, which to wait for, and under which mark each began.
//
//  * No driver's list is started while its former one runs; apart from that every turn starts it again.
//  * A sync waits for a list `patience` from its start, and not at all for a driver whose last list took longer than that: one that is
//    slow or hangs delays nobody. What comes late is at hand for the next sync.
//  * A kind is carried by a sync when each of its drivers has a listing that no sync has carried. A newer one replaces what is at hand;
//    what is at hand waits for the drivers that are still missing, so that several slow ones come together in the end.
//  * A listing belongs to the mark that was the highest received when it began, and may be sent under that mark or an older one, never
//    under a newer: it does not show what changed meanwhile. So a kind goes by the least mark of its listings.
//  * After forget_marks() all that began before goes by mark 0, whenever it ends.
//
// Pure. Who may call: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::worker {

inline constexpr Millis kListOverdue{30'000};

class Lists {
 public:
  Lists(std::size_t drivers, Millis patience) : drivers_(drivers), patience_(patience) {}

  // The drivers whose lists are to be started now; they run from here on.
  std::vector<std::size_t> start(std::int64_t mark, Instant now);
  void finished(std::size_t driver, const Status& outcome, Instant now);
  // Until when a sync waits for more lists; nothing when there is none to wait for.
  std::optional<Instant> waits_until() const;

  bool is_at_hand(std::size_t driver) const { return drivers_[driver].at_hand; }
  // What people should know about this driver's lists: that the last one failed, or that one is long overdue. Being slow is no trouble.
  std::optional<Error> trouble(std::size_t driver, Instant now) const;
  // These drivers' listings, all at hand, go into a sync. The mark that it may be sent under.
  std::int64_t carry(const std::vector<std::size_t>& drivers);
  void forget_marks();

 private:
  struct Driver {
    bool running = false;
    bool slow = false;  // the last list was not worth waiting for
    Instant started;
    std::int64_t began_under = 0;  // of the one that runs
    bool at_hand = false;
    std::int64_t mark = 0;  // of the one at hand
    std::optional<Error> failure;
  };

  std::vector<Driver> drivers_;
  Millis patience_;
};

}  // namespace reclaim::worker
