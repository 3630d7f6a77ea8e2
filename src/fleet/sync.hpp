// The one exchange: a worker says what it has, the answer says what to destroy.
//
// In one transaction the server fences the session, applies results and orders in hand, reconciles each kind's inventory, and answers
// with the next bounded batch. A full inventory is turned into the delta against the set that the server holds; from there on there is
// one path. Nothing changed since the last sync: one statement, whatever the number of handles.
//
// Errors: kNotFound (no such worker), kUnauthenticated (no such key), kFenced with `field` sequence, session or lineage. A refused
// sync changes nothing but events. kUnavailable: it may have been applied; the worker goes on with a higher sequence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "fleet/context.hpp"
#include "wire/sync.hpp"

namespace reclaim::fleet {

// Who syncs: the worker of a key (the gateway's way; the name comes from the key alone), or a worker by name (an admin's way).
struct SyncCaller {
  std::string key;  // one of the two is empty
  std::string worker;
};

// A destroy that ended, as its worker timed it.
struct Destroyed {
  ResourceKind kind;
  Millis took;
};

// How a row went away in a sync.
struct Gone {
  ResourceKind kind;
  bool acknowledged;  // false: absent from an inventory
  Millis since_mark;
};

struct SyncOutcome {
  wire::SyncAnswer answer;
  WorkerName worker;
  bool marks_changed = false;  // rows went away or became missing or unknown: collectors have work
  bool quiet = false;          // nothing to do for the worker: may be held for wait_ms
  std::vector<Gone> gone;
  std::vector<Destroyed> destroyed;
  wire::PerKind<std::int64_t> failed;  // destroys that did not succeed
};

Result<SyncOutcome> sync(const Context& context, const SyncCaller& caller, const wire::SyncRequest& request);

// The next orders for a held sync: only while `session` and `sequence` are still the worker's latest.
Result<wire::SyncAnswer> orders_for_held(const Context& context, const WorkerName& worker, const std::string& session,
                                         std::int64_t sequence);

}  // namespace reclaim::fleet
