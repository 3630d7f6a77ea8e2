// A worker's side of the conversation: what goes into the next sync, and what its answer means.
//
// One turn is begin(), which says whose lists to start, listed() for each that comes back, prepare() when there is none to wait for,
// exchange, take(). The app does the listing and the exchange, which take long, between the calls; orders run beside all that,
// through destroyer().
//
//  * `as_of` is the high-water mark of the last answer of this session received before begin(), 0 before there was one. A sync that
//    carries a listing which began earlier goes out under the mark of then (worker/lists.hpp): the rule about `as_of` is that nothing in
//    a sync was looked at before its mark was known.
//  * A kind of which not all drivers have a listing is left out; the sync says why when one failed or is long overdue.
//  * Orders are taken only from the answer to the latest sync, after it was written to the worker's `Memory`: a server that has
//    forgotten it can then be told from one that has not. A disk that takes no writes is a warning: it may be full of what the
//    orders would remove, and this session remembers by itself.
//  * Fenced by `sequence`: the next turn has a higher one. By `session`: kSuperseded, no queued order starts any more. By `lineage`,
//    or answered under a lineage that does not name ours as replaced: queued orders are dropped, and the conversation begins
//    anew, with full inventories and `as_of` 0, turn after turn until it is accepted.
//  * After anything else that fails the next turn comes with a backoff of 100 ms to 10 s, with jitter; results are kept.
//
// Who may call: one thread at a time. A crash leaves the `Memory`; all else begins anew with the next session.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/resource_driver.hpp"
#include "wire/sync.hpp"
#include "worker/destroyer.hpp"
#include "worker/inventory.hpp"
#include "worker/lists.hpp"

namespace reclaim::worker {

// What the worker remembers beyond its own life: the last answer that it received at all.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual Result<std::optional<wire::Answered>> load() = 0;
  // On disk when it returns.
  virtual Status store(const wire::Answered& answered) = 0;
};

std::string to_text(const wire::Answered& answered);
Result<wire::Answered> parse_answered(std::string_view text);

struct Identity {
  std::string session;
  std::string incarnation;
  std::int64_t started = 0;
};

struct AgentOptions {
  Identity identity;
  Millis sync_interval{30'000};
  Millis hold_max{0};  // how long an answer may be held while nothing is in hand; 0: never
  bool observe = false;
  DestroyLimits limits;
  Millis list_patience{5'000};           // how long a sync waits for a list
  std::string boot;                      // the machine's boot id; empty: not known
  bool accepts_new_incarnation = false;  // what the operator who started the worker says to an incarnation that nobody has seen yet
};

struct Note {
  bool is_warning;
  std::string text;
};

struct Turn {
  enum class Verdict { kGoOn, kSuperseded };
  Verdict verdict = Verdict::kGoOn;
  Millis pause{0};  // until the next turn begins, unless results are ready earlier
  std::vector<Note> notes;
};

using Listing = Result<std::vector<ports::Listed>>;

class Agent {
 public:
  Agent(AgentOptions options, std::vector<ports::ResourceDriver*> drivers, Memory& memory, Random& random);
  // What the disk remembers. An error means that no session may open.
  Status open();

  // The drivers, by their places, whose lists are to be started now.
  std::vector<std::size_t> begin(Instant now);
  void listed(std::size_t driver, Listing listing, Instant now);
  // Until when prepare() shall wait for more lists; nothing when there is none to wait for.
  std::optional<Instant> waits_until() const { return lists_.waits_until(); }
  wire::SyncRequest prepare(std::optional<wire::Disk> disk, Instant now);
  Turn take(const Result<wire::SyncAnswer>& answer, Instant now);

  Destroyer& destroyer() { return destroyer_; }
  // What carries out an order, as far as the last listing knows; empty for a handle under several roots.
  std::vector<ports::ResourceDriver*> drivers_of(ResourceKind kind, const std::string& handle) const;

 private:
  void look(wire::SyncRequest& request, Instant now);
  std::string troubles_of(ResourceKind kind, Instant now);
  void add_inventories(wire::SyncRequest& request);
  void add_disk(wire::SyncRequest& request, std::optional<wire::Disk> disk);
  bool may_hold() const;
  void accept(const wire::SyncAnswer& answer, Instant now, Turn& turn);
  void accept_orders(const wire::SyncAnswer& answer, Turn& turn);
  bool follow_lineage(const wire::SyncAnswer& answer, Turn& turn);
  void remember(wire::Answered answered, Turn& turn);
  void refuse(const Error& error, Turn& turn);
  void begin_anew();
  Millis backoff();

  AgentOptions options_;
  std::vector<ports::ResourceDriver*> drivers_;
  Memory& memory_;
  Random& random_;
  wire::PerKind<InventoryTracker> trackers_;
  wire::PerKind<std::vector<std::size_t>> places_;  // of each kind's drivers in drivers_
  Lists lists_;
  Destroyer destroyer_;

  std::optional<wire::Answered> answered_;
  std::int64_t sequence_ = 0;    // of the latest sync
  std::int64_t high_water_ = 0;  // of the last answer of this session
  std::int64_t heard_ = 0;       // high_water_ when this turn began
  bool settled_ = false;         // the latest sync was answered, and nothing was asked again
  bool held_ = false;            // the latest sync asked for its answer to be held
  Instant sent_;
  Millis next_sync_;
  int failures_ = 0;
  std::string last_failure_;
  std::string last_store_failure_;
  std::optional<wire::Disk> disk_sent_;
  std::set<std::string> observed_;
  std::vector<std::string> troubles_;  // per driver, what was said about its lists last
  std::vector<Note> listing_notes_;
};

}  // namespace reclaim::worker
