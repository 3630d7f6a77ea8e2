// Empties the to-transfer queue of one tape of what the tape does not accept, under a reservation. For this room only: cleanup.hpp.
//
//   reserve   both queues' names are on the agent's list; the reservation in the to-transfer queue alone decides who cleans. Then the
//             to-report queue is marked, in the same write that makes it where there is none
//   move      some segments at a time: read, decided, dispersed; then their entries are dropped and the progress is written, in one edit
//   let go    the empty to-transfer queue is removed at the version at which it was seen to be empty and the agent's; one that holds only
//             what its tape accepts again is released. Then the to-report queue is released, or removed where it is empty
//
// Dead entries are dropped on the way, segments that cannot be read quarantined. What is on its way to the queue is waited for, as long as
// somebody lives who may bring it. A reservation by an agent that does not exist is taken over. Every edit of the queue finds the
// reservation again: once it was taken, nothing more is written.
//
// A crash leaves the reservation, which whoever collects the agent releases, and both queues' contents as they are.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "archive/cleanup.hpp"
#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "archive/queues.hpp"

namespace reclaim::archive {

enum class Cleaned {
  kEmpty,    // the queue is not there any more
  kKept,     // it holds only what its tape accepts, and is released
  kWaiting,  // for what is on its way to it, or for other queues; it stays reserved
  kAtWork,   // the budget ended first; it stays reserved
  kTaken,    // another cleaner has it
};

class QueueCleaner {
 public:
  QueueCleaner(const Context& context, Hand& hand, agents::Estate& estate, const Vid& vid);

  // Counts into the report and takes from the budget. Errors: of the store and the agent; then it stays as far as it has come.
  Result<Cleaned> run(std::size_t& budget, CleanupReport& report);

 private:
  struct Batch;

  bool is_ours(const stored::Queue& queue) const;
  Result<bool> holds_something();
  Result<bool> may_take(const stored::Queue& queue);
  Result<Cleaned> reserve();
  Result<Edited> try_to_reserve(stored::Queue& queue, Cleaned& outcome);
  Status mark();
  Result<bool> choose(Batch& batch);
  Status look(Batch& batch, CleanupReport& report);
  Status judge(Batch& batch, const SegmentId& id, const ports::StoreAnswer& answer, CleanupReport& report);
  Status leave(const SegmentId& id, const Error& why, CleanupReport& report);
  Status move(Batch& batch, CleanupReport& report);
  Status drop(const Batch& batch);
  Result<Cleaned> conclude();
  Status let_go();
  Error lost() const;

  const Context& context_;
  Hand& hand_;
  agents::Estate& estate_;
  const QueueId to_transfer_;
  const QueueId to_report_;
  std::set<SegmentId> seen_;           // nothing more is done about them in this pass
  std::map<SegmentId, int> attempts_;  // at those that others were at
};

// A to-report queue that is marked while nobody has reserved the to-transfer queue of its tape: the mark goes.
Status release_mark(ports::ObjectStore& store, const Vid& vid);

}  // namespace reclaim::archive
