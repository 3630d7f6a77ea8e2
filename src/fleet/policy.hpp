// How long the control plane waits for what. Every period is service time: it runs only while some server serves.
#pragma once

#include "base/time.hpp"

namespace reclaim::fleet {

struct Policy {
  Millis sync_interval{30'000};
  Millis worker_expiry{180'000};
  Millis ephemeral_expiry{600'000};
  Millis stalled_timeout{0};  // 0: never
  Millis missing_grace{300'000};
  Millis unknown_grace{300'000};
  Millis touch_grace{300'000};
  Millis creating_timeout{3'600'000};
};

}  // namespace reclaim::fleet
