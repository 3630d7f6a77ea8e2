// The archive's ledger (C1): every request that was ever put into a queue is there still, or has ended and is counted as that (ended.hpp).
//
// What was put in is kept by origin, the segment that a request was enqueued in: ordinals go from 1 on without a gap, so the highest is how
// many there were. It is recorded before a submitter is answered, and again with what ends. So after a crash in between, what the catalogue
// does not know of is in the store, and the balance takes the larger of what is recorded and what is seen there. An origin of which nothing
// is left becomes part of a sum, a day after it was raised last: who raises it later than that counts it twice. What ends is on record
// before it leaves its segment: as long as it is there, it has not ended.
//
// While requests move, the store and the catalogue are not seen at one moment. So a difference counts only if it is seen twice, all else
// being equal (compare store_check.hpp). At rest it is 0.
// (docs/decisions/063-ledger.md)
//
// Who may call: any thread. Errors: of the database and the store. A crash leaves the ledger as it was, or further.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/context.hpp"
#include "archive/names.hpp"
#include "ports/database.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

struct Ledger {
  std::int64_t enqueued = 0;  // of all time
  // Where they are.
  std::int64_t queued = 0;
  std::int64_t with_agents = 0;
  std::int64_t moving = 0;  // between queues
  std::int64_t to_report = 0;
  std::int64_t failed = 0;
  // Of all time.
  std::int64_t done = 0;
  std::int64_t cancelled = 0;
  std::int64_t removed = 0;

  // Of enqueued ones: queued, with_agents, ..., removed.
  std::vector<std::pair<std::string_view, std::int64_t>> places() const;
  // Below 0: there are more than were enqueued.
  std::int64_t unaccounted() const;
  bool operator==(const Ledger&) const = default;
};

struct TakenLedger {
  Ledger ledger;
  // False: it does not come out even, and requests moved while it was taken.
  bool is_settled = false;
};

// Reads the whole store; twice, where it does not come out even.
Result<TakenLedger> take_ledger(const Context& context, ports::ObjectStore& store);
// The same, by the process that keeps it: origins of which nothing is left become part of the sum.
Result<TakenLedger> keep_ledger(const Context& context, ports::ObjectStore& store);

// The highest ordinal that there was, by origin.
using Origins = std::map<SegmentId, std::uint32_t>;
void raise(Origins& highest, const RequestId& id);
// On record, in the transaction of what raises them: one statement, which never lowers any.
Status raise_origins(ports::Transaction& transaction, WallTime wall, const Origins& highest);

}  // namespace reclaim::archive
