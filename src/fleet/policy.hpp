// How long the control plane waits for what. Every period is service time: it runs only while some server serves.
#pragma once

#include <cstdint>

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
  Millis lost_retention{7LL * 24 * 3600 * 1000};  // how long a lost row is remembered, should its handle come back
  double brake_fraction = 0.5;
  std::int64_t brake_min = 20;
};

}  // namespace reclaim::fleet
