// Where every door brings the text of a sync. It is counted and read here and handed to the control plane.
//
// A large one, which is a full inventory of thousands of handles, first waits for its turn in a lane: a fleet that starts anew
// brings all of them at once, and reading them on the doors' threads would let every other call wait behind them.
//
// Errors: those of wire::parse_sync_request and ControlPlane::sync; kUnavailable when the lane is full: nothing happened.
// Who may call: any thread. The destructor returns when no large sync runs any more.
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "fleet/sync.hpp"
#include "http/metrics.hpp"
#include "runtime/lane.hpp"
#include "server/control_plane.hpp"

namespace reclaim::http {

inline constexpr std::size_t kLargeSyncBytes = std::size_t{64} << 10;

class SyncDesk {
 public:
  using Answer = std::function<void(Result<std::string>)>;  // JSON text; called exactly once, from any thread

  SyncDesk(server::ControlPlane& plane, Metrics& metrics, const Clock& clock, const runtime::Lane::Limits& large);

  void take(const std::string& actor, const fleet::SyncCaller& caller, std::string text, Answer answer);
  runtime::Lane::Counts large() const { return lane_.counts(); }

 private:
  void read(const std::string& actor, const fleet::SyncCaller& caller, const std::string& text, const Answer& answer);

  server::ControlPlane& plane_;
  Metrics& metrics_;
  runtime::Lane lane_;  // goes before what its tasks refer to
};

}  // namespace reclaim::http
