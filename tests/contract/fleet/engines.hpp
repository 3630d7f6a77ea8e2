// The fleet over both engines: every test of this suite runs on SQLite and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "adapters/database_postgres/postgres.hpp"
#include "adapters/database_sqlite/sqlite.hpp"
#include "sim/fleet_world.hpp"
#include "sim/teller.hpp"
#include "support/fleet_store.hpp"

namespace reclaim::test {

inline std::string name_of(const testing::TestParamInfo<FleetEngine>& info) {
  return info.param == FleetEngine::kSqlite ? "Sqlite" : "Postgres";
}

inline std::unique_ptr<ports::Database> open_fresh(FleetEngine engine) {
  if (engine == FleetEngine::kSqlite) return sim::must(database_sqlite::open_sqlite({}));
  return sim::must(database_postgres::open_postgres({.conninfo = PrivatePostgres::shared().fresh_database()}));
}

class FleetTest : public testing::TestWithParam<FleetEngine> {
 protected:
  std::unique_ptr<ports::Database> database_ = open_fresh(GetParam());
  sim::FleetWorld world{*database_};
};

#define ON_BOTH_ENGINES(Suite) \
  INSTANTIATE_TEST_SUITE_P(Engines, Suite, testing::Values(FleetEngine::kSqlite, FleetEngine::kPostgres), name_of)

}  // namespace reclaim::test
