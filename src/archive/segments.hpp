// Segments as they are in the store: read with the version that guards every write of them.
//
// Who may call: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

struct SegmentAt {
  SegmentId id;
  stored::Segment segment;
  ports::Version version;

  bool is_owned_by(const Owner& owner) const { return segment.owner() == object_name(owner).str(); }
};

// What a reading came to: the segment, nothing where there is none, or why neither can be said (kUnavailable, kCorrupt).
struct SegmentReading {
  Result<std::optional<SegmentAt>> segment;
  std::optional<ports::Object> unreadable = {};  // as it is in the store, where it is there and nobody can read it (quarantine.hpp)
};

// In the store's answer to its read.
SegmentReading reading_of(const SegmentId& id, ports::StoreAnswer answer);

// In one batch, in the order of the ids, of which none occurs twice; one that cannot be read does not hinder the others. A segment is up to
// megabytes: ask for as many as may be in memory.
std::vector<SegmentReading> read_each_segment(ports::ObjectStore& store, std::span<const SegmentId> ids);
// The same, of which all can be read or none is answered. Errors: kUnavailable, kCorrupt.
Result<std::vector<std::optional<SegmentAt>>> read_segments(ports::ObjectStore& store, std::span<const SegmentId> ids);
// Nothing where there is none.
Result<std::optional<SegmentAt>> read_segment(ports::ObjectStore& store, const SegmentId& id);

// The owner write: `after` with that owner, at the version read.
ports::StoreCall owner_write(const SegmentId& id, ports::Version at, stored::Segment after, const Owner& owner);

enum class Moved : std::uint8_t {
  kDone,
  kRefused,  // the destination takes nothing now (it is under cleanup): choose again
  kLost,     // somebody else has changed the segment: read it anew and decide anew
};
// What an owner write has come to; where its answer was lost, by looking. kUnavailable: it may still happen.
Result<Moved> outcome_of(ports::ObjectStore& store, const ports::StoreAnswer& answer, const SegmentId& id, ports::Version at,
                         const Owner& wanted);

// As ObjectStore::run, in as many batches as the store's limits ask for.
std::vector<ports::StoreAnswer> run_in_batches(ports::ObjectStore& store, const std::vector<ports::StoreCall>& calls);

}  // namespace reclaim::archive
