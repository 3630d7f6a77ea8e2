#include "sim/staged_database.hpp"

#include <utility>

#include "adapters/sql/catalogue.hpp"

namespace reclaim::sim {
namespace {

// The whole database is one object.
Call call_of(std::string what, bool only_reads) {
  return {std::move(what), {{"the database", only_reads ? Touch::How::kRead : Touch::How::kWrite}}};
}

bool only_reads(ports::Statement statement) {
  const std::string& text = sql::catalogue(sql::Dialect::kSqlite)[statement].text;
  const auto says = [&](const char* word) { return text.find(word) != text.npos; };
  return !says("INSERT") && !says("UPDATE") && !says("DELETE");
}

// Has the database to itself, until it is gone.
class Turn {
 public:
  Turn(Stage& stage, const void* database) : stage_(stage), database_(database) { stage_.take(database_); }
  ~Turn() { stage_.give(database_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Stage& stage_;
  const void* database_;
};

class StagedTransaction : public ports::Transaction {
 public:
  StagedTransaction(std::unique_ptr<Turn> turn, std::unique_ptr<ports::Transaction> inner, Stage& stage)
      : turn_(std::move(turn)), inner_(std::move(inner)), stage_(stage) {}

  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override {
    stage_.note(statement.name);
    return inner_->run(statement, values);
  }
  Status commit() override {
    stage_.arrive({"commit"});  // others waited since it began
    return inner_->commit();
  }
  using ports::Transaction::run;

 private:
  std::unique_ptr<Turn> turn_;  // given up last
  std::unique_ptr<ports::Transaction> inner_;
  Stage& stage_;
};

}  // namespace

Result<std::unique_ptr<ports::Transaction>> StagedDatabase::begin(ports::Access access) {
  const bool only_to_read = access == ports::Access::kRead;
  stage_.arrive(call_of(only_to_read ? "begin to read" : "begin", only_to_read));
  auto turn = std::make_unique<Turn>(stage_, &inner_);
  std::unique_ptr<ports::Transaction> inner = TRY(inner_.begin(access));
  return std::unique_ptr<ports::Transaction>(std::make_unique<StagedTransaction>(std::move(turn), std::move(inner), stage_));
}

Result<ports::Rows> StagedDatabase::run(ports::Statement statement, std::span<const ports::Value> values) {
  stage_.arrive(call_of(statement.name, only_reads(statement)));
  const Turn turn(stage_, &inner_);
  return inner_.run(statement, values);
}

}  // namespace reclaim::sim
