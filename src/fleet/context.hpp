// What every use case and every pass of the fleet is handed: the database, the policy, the moment, and who acts.
#pragma once

#include <string>

#include "base/time.hpp"
#include "fleet/policy.hpp"
#include "ports/database.hpp"

namespace reclaim::fleet {

// A moment of service time. No clock that began before `trusted_from` has run out: after a gap in serving, nothing expires until the
// server has been ready for one full worker expiry. (service_clock.hpp computes it; 0 when that time is over.)
struct Moment {
  ServiceTime now;
  ServiceTime trusted_from;
  WallTime wall;

  bool has_run_out(ServiceTime began, Millis length) const { return began + length <= now && began >= trusted_from; }
};

struct Context {
  ports::Database& database;
  const Policy& policy;
  Moment moment;
  std::string actor;  // for the audit trail: `token:ci`, `worker:w1`, `pass:mark-orphans`
};

}  // namespace reclaim::fleet
