// Which syncs count. Pure.
//
// Sessions: the start counter orders those of an incarnation. A higher one opens a new session and supersedes the former; a lower one,
// an equal one under another id, and any session that was superseded before are refused. Within a session the sequence only grows.
//
// Incarnations: one that this worker never had waits for the operator, or comes by the consent that its own operator gave. One that
// was superseded does not come back by itself.
//
// Amnesia: a sync says which answer its worker received last. If that answer is not among what this database remembers, the database
// has forgotten (restored backup, lost failover, lost database), whatever its numbers. An answer of a lineage that was replaced is not
// compared any more, but its worker has to begin anew: full inventories, as_of 0.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.hpp"
#include "fleet/worker_row.hpp"
#include "wire/sync.hpp"

namespace reclaim::fleet {

enum class Admission { kSameSession, kNewSession, kNewIncarnation };

struct Refusal {
  enum class Kind { kSequence, kSuperseded, kHeldIncarnation, kRegressed, kBeginAnew };
  Kind kind;
  std::string message;
};

// The error that answers a refused sync: kFenced with `field` sequence, session or lineage.
Error to_error(const Refusal& refusal);

// What the database remembers of what a sync quotes.
struct Remembered {
  std::string lineage;                            // the present one
  bool answered_is_replaced = false;              // the lineage of `answered` was replaced by the present one
  std::optional<std::int64_t> answered_sequence;  // the last sequence of a superseded session that `answered` names
  bool session_was_here = false;                  // the sync's session is one of this worker's, present or superseded
  bool incarnation_was_here = false;
};

std::variant<Admission, Refusal> admit(const WorkerRow& worker, const Remembered& remembered, const wire::SyncRequest& request);

}  // namespace reclaim::fleet
