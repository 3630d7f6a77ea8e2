// What the check of the store knows of its objects: the few parts that its rules look at. Some tens of bytes for an object and two for a
// request, so that a million requests fit anywhere. For this room only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "archive/damaged.hpp"
#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

using Ordinals = std::vector<std::uint16_t>;  // ascending

struct StateCounts {
  std::uint64_t queued = 0;
  std::uint64_t transferred = 0;
  std::uint64_t failed = 0;
};

struct SegmentFacts {
  struct Forwarded {
    SegmentId child;
    QueueId queue;
    Ordinals ordinals;
  };

  ports::Version version;
  std::optional<Owner> owner;
  SegmentId origin;
  Ordinals ordinals;
  Ordinals may_have_ended;  // of these: those that may be on record as ended and be here still
  std::vector<Forwarded> forwarded;
  StateCounts states;
  std::string misplaced;  // the first request that its queue should not hold, and why
  std::string set_aside;  // the first request that this reading set aside, and why

  const Forwarded* forwarding_to(const SegmentId& child) const;
};

struct QueueFacts {
  using Entry = std::pair<SegmentId, std::uint64_t>;  // expects

  std::vector<Entry> entries;  // ascending
  std::optional<agents::AgentId> reserved_by;

  bool points_to(const SegmentId& segment) const;
  bool expects(const SegmentId& segment, ports::Version version) const;
};

struct AgentFacts {
  std::vector<SegmentId> owned;  // ascending; what is no segment is not the archive's affair
};

struct IndexFacts {
  struct Place {
    SegmentId segment;
    Ordinals ordinals;
  };
  std::vector<Place> places;

  bool has(std::uint16_t ordinal) const;
};

struct Facts {
  std::map<SegmentId, SegmentFacts> segments;
  std::map<QueueId, QueueFacts> queues;
  std::map<agents::AgentId, AgentFacts> agents;
  std::map<SegmentId, IndexFacts> indexes;              // by origin
  std::map<Vid, agents::AgentId> mounts;                // and whose they are
  std::map<DamagedId, std::string> damaged;             // what was set aside, and why
  std::map<ports::ObjectName, std::string> unreadable;  // and why

  // Of a kind that this Reclaim knows; what cannot be read is unreadable.
  void add(const ports::ObjectName& name, const ports::Object& object);

  const SegmentFacts* segment(const SegmentId& id) const;
  bool is_there(const Owner& owner) const;  // readable or not
  bool is_unreadable(const ports::ObjectName& name) const { return unreadable.contains(name); }
  bool is_held(const SegmentId& id) const;  // some agent has it on its list
};

}  // namespace reclaim::archive
