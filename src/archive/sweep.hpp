// Finds what nobody looks for: what a crash, or a call that arrived after its caller had died, left where no list leads to it.
//
//   segments       that no queue's entry and no agent's list names. An agent's that does not exist: as the estate would. A child of a
//                  split that its source does not name: removed. A queue's that has no entry for it: announced again. Unreadable: set aside
//   forwarding     of segments, and places of indexes, that lead to nothing: dropped, and the record with the last of them
//   queues         that cannot be read: set aside, and made anew from the segments that name them as owner (rebuild.hpp)
//   reservations   by an agent that does not exist: released, on both queues
//   mounts         the same: removed
//   entries        of segments that are gone, or that have another entry elsewhere: the dead ones dropped; queues left empty: removed
//
// A pass lists names, and reads all queues and all agents' lists; of the segments it reads only what looks suspicious in that, and a few
// of all others in turn. Whatever looks wrong is looked at again by itself before anything is written, and each write is guarded by what
// was seen then. So a pass may run while everybody works, and any number of them side by side.
//
// Who may call: one thread, that of the hand; one Sweep for each registration of an agent. A crash leaves each thing settled or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agents/takeover.hpp"
#include "archive/hand.hpp"
#include "archive/segments.hpp"

namespace reclaim::archive {

struct SweepReport {
  std::size_t settled = 0;            // segments, entries, records, queues, reservations and mounts
  bool more = false;                  // the budget ended before the work
  std::vector<std::string> problems;  // the first hundred
};

class Sweep {
 public:
  Sweep(Hand& hand, agents::Estate& estate) : hand_(hand), estate_(estate) {}

  // Settles until `budget` things were looked at one by one. What fails is a problem in the report and hinders nothing else.
  // kUnavailable: it could not look; kFenced: the hand's agent was collected.
  Result<SweepReport> run(std::size_t budget);

 private:
  // What one look showed.
  struct Sight {
    std::set<SegmentId> segments;
    std::map<SegmentId, std::size_t> entries;  // how many of all queues name it
    std::map<QueueId, std::vector<SegmentId>> queues;
    std::vector<std::pair<QueueId, agents::AgentId>> reservations;
    std::set<SegmentId> listed;  // by agents
    std::set<agents::AgentId> agents;
  };

  Result<Sight> look();
  Status look_at_queues(Sight& sight);
  Status look_at_queue(Sight& sight, const QueueId& id, const ports::StoreAnswer& answer);
  Status note_queue(Sight& sight, const QueueId& id, const stored::Queue& queue);
  Status mend_queue(Sight& sight, const QueueId& id, const ports::StoreAnswer& answer, const Error& why);
  Status look_at_agents(Sight& sight);
  Status settle_segments(const Sight& sight);
  Status drop_entries(const Sight& sight);
  Status release_reservations(const Sight& sight);
  Status remove_mounts();
  Status drop_records(const Sight& sight);

  Result<bool> settle_segment(const Sight& sight, const SegmentId& id);
  Result<bool> settle_record(const Sight& sight, const SegmentAt& record);
  Result<bool> drop_places(const Sight& sight, const SegmentId& origin);
  Result<bool> release(const QueueId& queue, const agents::AgentId& agent);
  Result<bool> is_gone(const Sight& sight, const SegmentId& id);
  // One thing was looked at. Not ok: the pass ends.
  Status count(const std::string& what, const Result<bool>& settled);
  bool is_spent();
  void problem(const std::string& text);

  Hand& hand_;
  agents::Estate& estate_;
  SweepReport report_;
  std::size_t budget_ = 0;
  std::set<SegmentId> quiet_;  // forwarding that was found to lead somewhere
  SegmentId next_segment_;     // where the look at all others goes on
  std::string next_record_;    // the same for indexes
};

}  // namespace reclaim::archive
