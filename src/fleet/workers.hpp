// Workers: the machines that hold resources, the keys that speak for them, and their life from enrolment to deletion.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "fleet/context.hpp"
#include "fleet/owners.hpp"
#include "fleet/states.hpp"
#include "wire/sync.hpp"

namespace reclaim::fleet {

// What to do with what a newly enrolled worker already has.
enum class Existing { kHold, kAdopt, kDestroy };
std::string_view name_of(Existing existing);
std::optional<Existing> existing_of(std::string_view name);

struct WorkerSpec {
  WorkerName name;
  std::optional<std::vector<std::string>> keys;  // canonical `type base64`; empty: leave as they are
  std::optional<bool> ephemeral;
  std::optional<std::vector<std::string>> tags;
  std::optional<Existing> existing;
};

// What waits for an operator: `reclaim workers accept`, or for a lost lineage `reclaim lineage accept`.
struct Hold {
  enum class What { kBrake, kExisting, kIncarnation, kLineage };
  What what;
  std::string reason;
};
std::string_view name_of(Hold::What what);

struct Worker {
  WorkerName name;
  WorkerState state = WorkerState::kRunning;
  WallTime since;
  std::string incarnation;
  bool ephemeral = false;
  std::vector<std::string> tags;
  std::vector<std::string> keys;
  Existing existing = Existing::kHold;
  std::int64_t containers = 0;
  std::int64_t volumes = 0;
  std::int64_t destroying = 0;
  std::optional<Millis> oldest_destroying;
  std::int64_t missing = 0;
  std::int64_t unknown = 0;
  std::int64_t held = 0;
  std::int64_t malformed = 0;
  std::optional<Millis> last_sync_age;
  std::string frozen;  // the reason, or empty
  std::string braked;  // why a kind is not judged, or empty
  struct Unlisted {
    std::string kind;
    std::string error;
  };
  std::vector<Unlisted> unlisted;  // kinds that its syncs leave out, and why
  std::vector<Hold> holds;         // what waits for an operator, and why
  std::optional<wire::Disk> disk;
};

// `ssh-ed25519 AAAA... comment` -> `ssh-ed25519 AAAA...`; kInvalid for what is no public key.
Result<std::string> canonical_key(std::string_view line, std::string field = "keys");

// Enrols, or changes keys, tags and flags of an enrolled worker. A key belongs to one worker only: kConflict names the other.
Result<Outcome<Worker>> put_worker(const Context& context, const WorkerSpec& spec);
Result<Worker> find_worker(const Context& context, const WorkerName& name);
Result<std::vector<Worker>> list_workers(const Context& context, const std::string& after, std::int64_t limit);
// kUnauthenticated for a key that belongs to no worker.
Result<WorkerName> worker_of_key(ports::Database& database, const std::string& key);

Result<Worker> land_worker(const Context& context, const WorkerName& name);
Result<Worker> retire_worker(const Context& context, const WorkerName& name);
// Gives a worker up that is not running: its rows are lost, with a reason. kConflict while running.
Result<Worker> prune_worker(const Context& context, const WorkerName& name);
// Counts as contact, changes nothing else.
Result<Worker> heartbeat(const Context& context, const WorkerName& name);
// No orders leave for this worker until unfrozen. kInvalid without a reason.
Result<Worker> freeze_worker(const Context& context, const WorkerName& name, const std::string& reason);
// Lifts one hold, by the operator's word; kConflict where there is none.
//  * kBrake: the next inventories of the braked kinds are judged, whatever they would do.
//  * kExisting: what is held, and what a first inventory will yet show, is adopted or destroyed (`strangers` is required).
//  * kIncarnation: the one that is held may come; what it has without a row is held again, adopted or destroyed.
//  * kSession: the next session opens whatever its start counter says (a restored root, the right one of two clones).
enum class Accept { kBrake, kExisting, kIncarnation, kSession };
std::optional<Accept> accept_of(std::string_view name);
Result<Worker> accept_worker(const Context& context, const WorkerName& name, Accept what, std::optional<Existing> strangers);

Result<Worker> unfreeze_worker(const Context& context, const WorkerName& name, const std::string& reason = "");
// The same for every worker at once.
Status freeze_fleet(const Context& context, const std::string& reason);
Status unfreeze_fleet(const Context& context, const std::string& reason = "");

}  // namespace reclaim::fleet
