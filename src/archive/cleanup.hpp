// The pass that empties the to-transfer queues of tapes that have left service, and ends their stay in X_PENDING.
//
// It asks what is so, not who raised a flag: which tapes are pending (A4), and which queues hold what their tape does not accept as it is
// now (A5). Each such queue is emptied by one agent at a time (clean_queue.hpp): whoever has reserved it. A tape whose queue is not there
// or has become empty, and that no living drive has mounted, becomes final by compare-and-set.
//
// Who may call: any number of processes at once, each with a hand of its own. A crash leaves a reservation by an agent that will be
// collected, moves that its collector finishes or undoes, and the tape pending: the next pass, of whichever process, goes on. After an
// error of the store the next pass of the same hand does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agents/takeover.hpp"
#include "archive/context.hpp"
#include "archive/hand.hpp"
#include "base/result.hpp"

namespace reclaim::archive {

struct CleanupReport {
  std::size_t finished = 0;                // tapes that left X_PENDING
  std::size_t waiting = 0;                 // tapes that wait: for another cleaner, a drive, or what is on its way to their queue
  std::uint64_t requeued = 0;              // requests that another tape takes
  std::uint64_t failed = 0;                // requests that none does
  std::uint64_t ended = 0;                 // requests that had been cancelled or removed
  std::uint64_t refused = 0;               // writes of segments that somebody else had changed meanwhile
  bool more = false;                       // the budget ended before the work
  std::vector<std::string> problems = {};  // the first hundred; one that could not be attended to hinders no other

  // Keeps what went wrong among the problems. Not ok: kFenced, which ends the pass.
  Status note(const std::string& what, const Status& status);
};

// Until `budget` requests were looked at, and then to the end of the batch at hand. Each queue has its share of it, and what those before
// it have left of theirs.
// Errors: of asking what there is to do; kFenced: the hand's agent was collected: stop, nothing more is written.
Result<CleanupReport> clean_up(const Context& context, Hand& hand, agents::Estate& estate, std::size_t budget);

}  // namespace reclaim::archive
