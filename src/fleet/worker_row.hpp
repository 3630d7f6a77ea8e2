// A worker as the database holds it, and the lock that every change of its rows begins with. For this room only.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "fleet/collectors.hpp"
#include "fleet/context.hpp"
#include "fleet/states.hpp"
#include "wire/sync.hpp"

namespace reclaim::fleet {

// The last acknowledged inventory of one kind.
struct InventoryRow {
  std::optional<std::int64_t> base;  // the sequence it came with, in the present session
  std::int64_t count = 0;
  std::string digest;
  std::int64_t judged = -1;   // the highest as_of that rows were judged at; -1: never
  std::int64_t former = 0;    // rows up to this change number are of an earlier life of the machine
  std::string brake;          // why the kind is not judged; empty: it is
  bool brake_lifted = false;  // for the next inventory
};

struct WorkerRow {
  std::int64_t id = 0;
  std::string name;
  WorkerState state = WorkerState::kRunning;
  std::optional<WorkerState> intent;
  WallTime since;
  std::string incarnation;
  std::string session;
  std::int64_t started = 0;
  std::int64_t sequence = 0;
  std::optional<ServiceTime> synced;
  std::optional<WallTime> synced_wall;
  bool ephemeral = false;
  std::string tags;
  std::string existing;
  std::int64_t change = 0;
  wire::PerKind<InventoryRow> inventories;
  std::string malformed;
  std::optional<wire::Disk> disk;
  std::string frozen;
  std::string landed_session;
  std::optional<ServiceTime> stalled_at;
  std::string unlisted;  // kinds left out, as JSON
  std::string boot;
  std::string held_incarnation;      // waits for the operator
  std::string accepted_incarnation;  // may come next
  bool session_accepted = false;     // the next session opens whatever its start counter says
  std::string refused_session;
  bool anew = false;      // nothing counts until it begins anew
  std::string regressed;  // what shows that this database forgot; empty: nothing
};

WorkerRow parse_worker_row(const ports::Row& row);

// Locks the worker's row until the transaction ends. kNotFound where there is none.
Result<WorkerRow> lock_worker(ports::Transaction& transaction, const WorkerName& name);
Result<WorkerRow> lock_worker(ports::Transaction& transaction, std::int64_t id);

// Its rows are frozen: stalled, or past its expiry, whether or not the lifecycle pass has been by.
bool is_stalled(const WorkerRow& worker, const Context& context);

// The next change number of a locked worker. Whoever writes it into a row stores it with draw_change.
inline std::int64_t next_change(const WorkerRow& worker) { return worker.change + 1; }
Status draw_change(ports::Transaction& transaction, const WorkerRow& worker);

Status hold_claim(ports::Transaction& transaction, const Claim& claim);

}  // namespace reclaim::fleet
