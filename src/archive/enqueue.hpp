// New requests into to-transfer queues, many at a time in few calls to the store.
//
// Each goes to the tape where it waits best (placement.hpp), into the segment that this agent has open there (tails.hpp), or a new one. All
// queues of one call go together: reads of the queues; one write for each segment that is open and one for its entry's figures; and for
// what found none, a new segment by the rule of moves.
//
// What callers may rely on: what is answered with an id is in a queue, durably, and nothing that happens to its writer afterwards takes it
// out. Each submission is answered by itself.
// Errors of one: kInvalid with the field; kConflict: no tape can serve it, which says why; kUnavailable: it may or may not be in a queue;
// kFenced: it is not, and this Enqueuer is of no more use.
// A crash leaves what was answered in queues, and on record for the ledger (ledger.hpp); what was not, in one, with the dead agent, or
// nowhere. A request whose file was removed in the same moment is in a queue, or has ended on record as removed.
// Who may call: the hand's thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "archive/admission.hpp"
#include "archive/hand.hpp"
#include "archive/tails.hpp"

namespace reclaim::archive {

struct Enqueued {
  RequestId id;
  Vid vid;
};

class Enqueuer {
 public:
  explicit Enqueuer(Hand& hand) : hand_(hand), tails_(hand) {}

  // One answer for each, in their order.
  std::vector<Result<Enqueued>> enqueue(const Context& context, std::span<const Submission> submissions, std::int64_t now_ms);

  // Before the same thread changes that segment otherwise.
  void close(const SegmentId& segment) { tails_.close(segment); }
  // Before the agent leaves, or rests: nothing is kept open.
  void rest();

 private:
  Hand& hand_;
  Tails tails_;
};

}  // namespace reclaim::archive
