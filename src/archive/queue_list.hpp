// The queues of the store as people see them: how much waits in each, since when, and whether one is being cleaned up.
//
// Figures are the sums of what the queue's pointers say, each segment once: no segment is read. While requests move they may be counted in
// two queues or, for a moment, in the one that they have just left. Whether a cleanup is due is not stored anywhere: it follows from what
// waits in a to-transfer queue and from the present state of its tape (A5).
//
// Queues are read in batches; a queue that cannot be read is listed as that and hinders no other.
// Who may call: any thread. Errors: those of the store and of the catalogue.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/agent_id.hpp"
#include "archive/context.hpp"
#include "archive/names.hpp"
#include "archive/objects.hpp"
#include "archive/tape_states.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

struct QueueFigures {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  std::optional<WallTime> oldest;  // nothing where nothing waits
};
QueueFigures figures_of(const stored::Queue& queue);

// A cleanup that is due, or at work.
struct QueueCleanup {
  struct Cleaner {
    agents::AgentId agent;
    WallTime since;
    std::uint64_t done = 0;
    std::uint64_t left = 0;
  };
  bool requested = false;  // the tape's present state does not accept what waits there, or is X_PENDING
  std::optional<Cleaner> cleaner;
};
// `state` is the tape's; nothing: no such tape is in the catalogue. Nothing: no cleanup is due and nobody has reserved the queue.
std::optional<QueueCleanup> cleanup_of(const QueueId& id, const stored::Queue& queue, std::optional<TapeState> state);

struct ListedQueue {
  QueueId id;
  QueueFigures figures;
  std::optional<QueueCleanup> cleanup;
  std::string problem = {};  // why it cannot be read; then nothing but its id is known

  std::string key() const { return object_name(id).key; }  // what lists go on after
};

struct QueueFilter {
  std::optional<Vid> vid = {};
  std::optional<QueueType> type = {};
  std::optional<bool> cleanup = {};  // only those of which there is one, or there is none
};
// By key, behind `after`; a queue that is not there is not listed. kInvalid: `after`.
Result<std::vector<ListedQueue>> list_queues(const Context& context, ports::ObjectStore& store, const QueueFilter& filter,
                                             const std::string& after, std::size_t limit);

// How many requests wait on each of these tapes, to be transferred or to be reported. A queue that cannot be read counts as empty.
Result<std::map<Vid, std::uint64_t>> count_requests(ports::ObjectStore& store, std::span<const Vid> tapes);

using RequestsByType = std::array<std::uint64_t, std::size(kQueueTypes)>;
// Of the whole store.
Result<RequestsByType> count_all_requests(ports::ObjectStore& store);

}  // namespace reclaim::archive
