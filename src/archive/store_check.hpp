// Looks through the whole store and says where it is not as it has to be: A1 (every request is in exactly one place, and whoever owns it
// can find it), what of A2 and C1 the store alone can show, and what crashes have left behind.
//
// It reads only, object by object, and may run while others write: no moment is held still. Whatever looks wrong is therefore looked at
// again by itself, with all objects that it involves read twice: if none of them has changed in between, they were all like that at one
// moment (a double collect: Afek et al., "Atomic snapshots of shared memory", JACM 1993). What does not come to rest is counted as
// `unsettled` and not reported. So a finding was true at some moment; while others write, the summary's counts may miss or repeat what
// moved meanwhile, and a dead pointer or a pending child may be one that its writer removes next.
// What it cannot know: a request of which no object speaks any more. Whoever keeps a ledger compares it with the summary.
//
// Memory: some tens of bytes for an object, two for a request. Time: two readings of each suspicious object, one of all others.
// Who may call: any thread. Errors: kUnavailable, when the store does not answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/names.hpp"
#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

// Of the broken and of the leftovers, each.
inline constexpr std::size_t kFindingsMax = 1000;

struct Finding {
  enum class Kind {
    // Broken: at rest, no crash leaves any of these.
    kUnreadable,  // an object, or a request in a segment
    kNoOwner,     // the owner of a segment is not there
    kStranded,    // the owning queue has no pointer to it
    kUnlisted,    // the owning agent does not list it
    kMisplaced,   // in a queue or segment that may not hold it
    kTwice,       // a request in two places
    kLost,        // a request that moved to where it is not
    // Leftovers: harmless, and removed by whoever comes by.
    kGarbageChild,     // of a split that did not commit
    kDeadPointer,      // to nothing, or to what can never become the queue's by it
    kDanglingRecord,   // forwarding or index that leads to nothing
    kEmptySegment,     // neither requests nor forwarding
    kDeadReservation,  // by an agent that is not there
    kDeadMount,        // the same
    // For a person to look at, and to remove.
    kDamaged,  // what nobody could read, a segment or a queue, set aside (quarantine.hpp)
  };
  Kind kind;
  std::vector<ports::ObjectName> objects;  // the first is where it shows
  std::string sentence;
};

std::string_view name_of(Finding::Kind kind);       // `stranded`
std::string_view invariant_of(Finding::Kind kind);  // `A1`; empty for what is not broken
bool is_leftover(Finding::Kind kind);               // or set aside: not broken

struct StoreSummary {
  std::uint64_t queues = 0, segments = 0, indexes = 0, agents = 0;
  std::uint64_t forwarding_only = 0;  // of the segments
  // Requests by where they are. Together as many as by state.
  std::array<std::uint64_t, std::size(kQueueTypes)> in_queues{};  // by QueueType
  std::uint64_t with_agents = 0;
  std::uint64_t moving = 0;  // in a child of a split that has committed
  std::uint64_t queued = 0, transferred = 0, failed = 0;
};

struct StoreReport {
  StoreSummary summary;
  std::vector<Finding> findings;  // the broken first
  std::uint64_t more = 0;         // suspicions beyond kFindingsMax, not looked at again
  std::uint64_t unsettled = 0;
};

Result<StoreReport> check_store(ports::ObjectStore& store);

// What there is, without a judgement of it; in one reading.
struct StoreSurvey {
  StoreSummary summary;
  // By the segment that requests were enqueued in; also of segments of which there is but a trace.
  struct Origin {
    std::uint16_t highest = 0;                  // ordinal that there is
    std::vector<std::uint16_t> may_have_ended;  // and are on record as that, perhaps, and here all the same (ended.hpp)
  };
  std::map<SegmentId, Origin> origins;
  bool is_whole = true;  // false: something cannot be read, or was set aside, and may hold more
};
Result<StoreSurvey> survey_store(ports::ObjectStore& store);

}  // namespace reclaim::archive
