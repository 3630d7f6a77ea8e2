// The clocks and the randomness of the machine, and the one place where a driver may wait.
#pragma once

#include "base/time.hpp"

namespace reclaim::system {

class SystemClock : public Clock {
 public:
  Instant now() const override;
  WallTime wall() const override;
};

// getrandom(2). Ends the process when the kernel has no randomness to give: ids that repeat would be worse.
class SystemRandom : public Random {
 public:
  std::uint64_t next() override;
};

void pause_for(Millis duration);

}  // namespace reclaim::system
