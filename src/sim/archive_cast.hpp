// The world of a simulated archive and what everybody who plays in it shares: store and catalogue behind faults, tapes, files, a buffer,
// requesters, and what was promised to submitters.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "adapters/buffer_memory/memory_buffer.hpp"
#include "adapters/library_memory/memory_library.hpp"
#include "adapters/report_memory/memory_reports.hpp"
#include "sim/archive_world.hpp"
#include "sim/crash.hpp"
#include "sim/stage.hpp"
#include "sim/staged_database.hpp"
#include "sim/staged_store.hpp"
#include "sim/swarm.hpp"
#include "sim/unreliable_database.hpp"
#include "sim/unreliable_store.hpp"

namespace reclaim::sim {

struct ArchiveScene : ArchiveWorld {
  explicit ArchiveScene(Run& the_run);

  static constexpr const char* kQuiet = "V4";  // the tape that nobody takes out of service, and files that lie on it alone
  static constexpr int kFiles = 12;
  static constexpr int kQuietFiles = 2;
  static std::string file_of(int number) { return "f" + std::to_string(number); }

  archive::Context now() { return {staged_database, {wall_ms}, "sim"}; }
  archive::Context plainly() { return {*database, {wall_ms}, "sim"}; }

  Run& run;
  Faults faults;
  Stage stage;
  UnreliableStore unreliable_store;
  UnreliableDatabase unreliable_database;
  StagedStore staged_store;
  StagedDatabase staged_database;
  library_memory::MemoryLibrary library;
  buffer_memory::MemoryBuffer buffer;
  report_memory::MemoryReports sink;

  std::int64_t wall_ms = 1'764'000'000'000;
  std::vector<archive::RequestId> accepted;
  std::size_t unanswered = 0;  // submissions that may be in a queue, and nobody was told
  int submitted = 0;
  bool is_over = false;  // whoever comes to the end of what it does ends
};

// The processes of the archive, each in words: name, and what it does until the run is over, in one incarnation after the other.
struct Role {
  const char* name;
  std::function<void(ArchiveScene&)> part;
};
std::vector<Role> archive_roles();

// One drive that serves what there is, unhindered.
void serve_plainly(ArchiveScene& scene, const std::string& name, int mounts);
// One pass of reports, unhindered.
void report_plainly(ArchiveScene& scene, Process& process);
// Asks for a file; its id, where it is accepted.
std::optional<archive::RequestId> submit_plainly(ArchiveScene& scene, const std::string& file);

}  // namespace reclaim::sim
