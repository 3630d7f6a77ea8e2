// A database on a stage, one transaction at a time as SQLite in memory: somebody else may go on before each begins and before each
// commits, and whoever begins another waits.
//
// Not within one: what it reads and writes there nobody else sees before the commit.
#pragma once

#include <memory>

#include "ports/database.hpp"
#include "sim/stage.hpp"

namespace reclaim::sim {

class StagedDatabase : public ports::Database {
 public:
  StagedDatabase(ports::Database& inner, Stage& stage) : inner_(inner), stage_(stage) {}

  Result<std::unique_ptr<ports::Transaction>> begin(ports::Access access) override;
  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override;
  using ports::Database::run;

 private:
  ports::Database& inner_;
  Stage& stage_;
};

}  // namespace reclaim::sim
