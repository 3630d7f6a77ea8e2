// Where a request waits best: the one rule that submitters, cleaners, drives and collectors share.
//
// User requests wait on ACTIVE tapes, else on DISABLED ones; repack requests on REPACKING, else REPACKING_DISABLED. Among the copies that
// are still to be read: tapes of the better state, then fewest queued bytes; tapes that differ by less than 100 GB count as equal, and the
// day's hash of the file decides among them, which keeps a file's requests on one tape for the day. A queue under cleanup takes nothing,
// nor does one that cannot be read.
//
// Pure but for look_at_tapes(). Who may call: any thread.
// (The rule is that of CERN's CTA; hashing by rank: Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998.)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "archive/context.hpp"
#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "archive/tape_states.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

inline constexpr std::uint64_t kAlikeBytes = 100'000'000'000;

struct TapeStanding {
  TapeState state = TapeState::kActive;
  std::string reason = {};
  bool is_reserved = false;  // its to-transfer queue is under cleanup, or cannot be read
  std::uint64_t queued_bytes = 0;
};
using TapeStandings = std::map<Vid, TapeStanding>;  // a tape that is not in it does not exist

// To-transfer queues as they were read. One that is not in it is not there, or cannot be read.
struct QueueSeen {
  stored::Queue queue;
  ports::Version version;
};
using QueuesSeen = std::map<Vid, QueueSeen>;

// One statement, and one batch of reads of their to-transfer queues, which are kept in `queues` for those who go on to edit them. At most
// 10,000 tapes.
Result<TapeStandings> look_at_tapes(const Context& context, ports::ObjectStore& store, const std::set<Vid>& vids,
                                    QueuesSeen* queues = nullptr);
std::set<Vid> tapes_of(const stored::Segment& segment);

bool accepts(TapeState state, stored::Request::Kind kind);
bool may_mount(TapeState state);

// The place in copies() of the best one; nothing if no tape takes it. `day` counts days since 1970.
std::optional<std::uint32_t> best_copy(const stored::Request& request, const TapeStandings& tapes, std::int64_t day);
// One sentence that names each tape, its state and the operator's reason: `V1 is BROKEN: "dropped"; V2 is EXPORTED: "to the vault"`.
std::string why_none(const stored::Request& request, const TapeStandings& tapes);

// Sends a request on: QUEUED to the queue of the best copy, or, if there is none, as FAILED with why_none() to be reported; TRANSFERRED and
// FAILED to the to-report queue of their active copy's tape. Changes state, final attempt, active copy and errors of the request, and adds
// its bytes to the standing of the tape it waits for. `from` is the tape whose queue it comes from, for a request that has no copy left.
QueueId send_on(stored::Request& request, TapeStandings& tapes, std::int64_t day, const Vid& from);

}  // namespace reclaim::archive
