// Which migrations a database has seen, and which comes next. The engines ask here when they open a database, so that both refuse
// the same databases in the same words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/sql/catalogue.hpp"
#include "base/result.hpp"

namespace reclaim::sql {

// A row of schema_migrations.
struct Applied {
  std::int64_t version;
  std::string name;
};

// The first migration that `history` (in order of versions) lacks; null when the schema is up to date.
//  kInvalid: the database is newer than this program.
//  kCorrupt: versions are missing or bear other names, so nobody knows what the schema is.
Result<const Catalogue::Migration*> next_migration(const Catalogue& catalogue, const std::vector<Applied>& history);

}  // namespace reclaim::sql
