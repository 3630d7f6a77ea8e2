// The catalogue over both engines: every test of this suite runs on SQLite and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "archive/files.hpp"
#include "archive/policies.hpp"
#include "archive/tapes.hpp"
#include "audit/events.hpp"
#include "support/fleet_store.hpp"

namespace reclaim::test {

using archive::Copy;
using archive::FileId;
using archive::FileSpec;
using archive::TapeState;
using archive::Vid;

inline std::string name_of(const testing::TestParamInfo<FleetEngine>& info) {
  return info.param == FleetEngine::kSqlite ? "Sqlite" : "Postgres";
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) check(false, result.error().message.c_str());
  return std::move(result).value();
}

template <class T>
std::string refusal(const Result<T>& result) {
  if (result.ok()) return "";
  const Error& error = result.error();
  return std::string(reclaim::name_of(error.kind)) + (error.field.empty() ? "" : " " + error.field);
}

inline archive::TapeSpec tape(const std::string& vid) {
  return {.vid = Vid(vid), .pool = archive::PoolName("p"), .library = archive::LibraryName("l")};
}
inline FileSpec file(const std::string& id, std::vector<Copy> copies) {
  return {.id = FileId(id), .size = 12, .checksum = "adler32:1e0b0402", .copies = std::move(copies)};
}

inline Result<bool> nobody_asks() { return false; }
inline Result<bool> somebody_asks() { return true; }

// A catalogue with the tapes V1, V2 and V3. Time stands still.
class Catalogue {
 public:
  explicit Catalogue(FleetEngine engine) : store_(engine), database_(must(store_.open())) {
    for (const char* vid : {"V1", "V2", "V3"}) must(archive::add_tape(context(), tape(vid)));
  }

  archive::Context context() { return through(*database_); }
  archive::Context through(ports::Database& database) const { return {database, wall, "test"}; }
  ports::Database& database() { return *database_; }
  const FleetStore& store() const { return store_; }

  TapeState state(const std::string& vid) { return must(archive::find_tape(context(), Vid(vid))).spec.state; }
  Result<archive::Tape> ask(const std::string& vid, TapeState asked, const std::string& reason = "why") {
    return archive::ask_tape_state(context(), Vid(vid), asked, reason);
  }
  Result<archive::Outcome<archive::File>> add(const FileSpec& spec) { return must(archive::add_files(context(), {spec})).at(0); }

  // The events after number `after`, in words: `tape-state V1 ACTIVE>BROKEN_PENDING (torn)`.
  std::vector<std::string> events(std::int64_t after) {
    std::vector<std::string> told;
    for (const audit::RecordedEvent& recorded : must(audit::read_events(*database_, after, 100))) {
      const audit::Event& event = recorded.event;
      std::string text = event.action + " " + event.tape + event.file + event.policy;
      if (!event.from.empty() || !event.to.empty()) text += " " + event.from + ">" + event.to;
      if (!event.reason.empty()) text += " (" + event.reason + ")";
      told.push_back(text);
    }
    return told;
  }
  std::int64_t last_event() { return must(audit::read_events(*database_, 0, 100'000)).back().seq; }

  WallTime wall{1'800'000'000'000};

 private:
  FleetStore store_;
  std::unique_ptr<ports::Database> database_;
};

class CatalogueTest : public testing::TestWithParam<FleetEngine> {
 protected:
  Catalogue catalogue{GetParam()};
};

#define ON_BOTH_ENGINES(Suite) \
  INSTANTIATE_TEST_SUITE_P(Engines, Suite, testing::Values(FleetEngine::kSqlite, FleetEngine::kPostgres), name_of)

}  // namespace reclaim::test
