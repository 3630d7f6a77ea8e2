// How often an agent beats, and when others take it for dead: what every process of the archive is told by the same two flags.
//
// An agent beats at least three times within the timeout, however rarely it was told to: a timeout that is made short does not condemn
// everybody whose heartbeat was left as it is.
#pragma once

#include <algorithm>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::apps {

inline constexpr Millis kHeartbeatMin{10};
inline constexpr int kBeatsInTimeout = 3;

inline Millis beat_period(Millis heartbeat, Millis timeout) { return std::min(heartbeat, timeout / kBeatsInTimeout); }

// kInvalid with the flag's name.
inline Status check_agent_times(Millis heartbeat, Millis timeout) {
  if (heartbeat < kHeartbeatMin) return invalid("agent-heartbeat", "must be at least 10ms");
  if (timeout < kBeatsInTimeout * kHeartbeatMin) return invalid("agent-timeout", "must be at least 30ms");
  return done();
}

}  // namespace reclaim::apps
