// Which syncs count. Pure.
//
// The start counter orders the sessions of an incarnation: a higher one opens a new session and supersedes the former; a lower one, or
// an equal one under another session id, is refused. Within a session the sequence only grows. An as_of above the high-water mark
// quotes an answer that this server never gave: it has forgotten something, and gives no orders.
#pragma once

#include "base/result.hpp"
#include "fleet/worker_row.hpp"
#include "wire/sync.hpp"

namespace reclaim::fleet {

enum class Admission { kSameSession, kNewSession };

Result<Admission> admit(const WorkerRow& worker, const wire::SyncRequest& request);

}  // namespace reclaim::fleet
