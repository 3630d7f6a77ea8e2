// A small archive in memory, and its processes of maintenance, each of which may see store and database through decorators that fail:
// what tests and simulations of that plane arrange, and what they ask.
//
// Programmer errors of a test (a use case that should have worked) end the process with the reason.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/objects_memory/memory_store.hpp"
#include "agents/takeover.hpp"
#include "archive/cleanup.hpp"
#include "archive/context.hpp"
#include "archive/estate.hpp"
#include "archive/hand.hpp"
#include "archive/queues.hpp"
#include "archive/segments.hpp"
#include "archive/sweep.hpp"
#include "archive/tapes.hpp"
#include "ports/database.hpp"

namespace reclaim::sim {

inline archive::QueueId to_transfer(const char* vid) { return {archive::Vid(vid), archive::QueueType::kToTransfer}; }
inline archive::QueueId to_report(const char* vid) { return {archive::Vid(vid), archive::QueueType::kToReport}; }

// Of a file with copies on these tapes, queued for the first of them.
archive::stored::Request request(std::uint32_t ordinal, const std::vector<const char*>& vids);

struct ArchiveWorld {
  // V1 to V4, ACTIVE, without requests.
  ArchiveWorld();

  archive::Context context() { return {*database, {1'764'000'000'000}, "test"}; }

  // A segment of these requests, in that queue.
  void put(const archive::SegmentId& id, const archive::QueueId& queue, const std::vector<archive::stored::Request>& requests);
  void ask(const char* vid, archive::TapeState state, const std::string& reason = "torn");
  archive::TapeState state_of(const char* vid);

  // Queue -> its requests as a taker finds them: over live entries.
  std::map<archive::QueueId, std::multiset<archive::RequestId>> contents();
  std::multiset<archive::RequestId> all_requests();

  std::unique_ptr<ports::Database> database;
  objects_memory::MemoryStore store;
};

// One process: its agent, and the passes under it.
struct Process {
  static constexpr Millis kTimeout{900};
  static constexpr std::size_t kBudget = 100'000;

  Process(ports::Database& the_database, ports::ObjectStore& the_store, const std::string& name);

  archive::Context context() { return {database, {1'764'000'000'000}, "pass:test"}; }

  Result<archive::CleanupReport> clean() { return clean_up(context(), hand, estate, kBudget); }
  // A third of the timeout goes by.
  Result<agents::TakeoverReport> collect();
  // All passes, again and again, until whoever died is collected and everything has come to rest. What went wrong.
  std::vector<std::string> run_all();

  ports::Database& database;
  Instant now{1000};
  std::unique_ptr<agents::Agent> agent;
  archive::Hand hand;
  archive::ArchiveEstate estate;
  agents::Takeover takeover;
  archive::Sweep sweep;
};

}  // namespace reclaim::sim
