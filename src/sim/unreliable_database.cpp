#include "sim/unreliable_database.hpp"

#include <utility>

#include "sim/crash.hpp"

namespace reclaim::sim {
namespace {

constexpr std::size_t kFullForMost = 12;

}  // namespace

class UnreliableDatabase::Turn : public ports::Transaction {
 public:
  Turn(UnreliableDatabase& database, std::unique_ptr<ports::Transaction> inner, ports::Access access)
      : database_(database), inner_(std::move(inner)), access_(access) {}

  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override {
    return inner_->run(statement, values);
  }
  Status commit() override {
    if (access_ == ports::Access::kRead) return inner_->commit();
    if (database_.is_full()) return unavailable("the disk is full");
    database_.die("commit", "before");
    TRY(inner_->commit());
    database_.die("commit", "after");
    if (!database_.faults_.strikes(FaultKind::kDatabaseSilent)) return done();
    database_.tell_("a commit happens, and nobody hears of it");
    return unavailable("the answer was lost");
  }
  using ports::Transaction::run;

 private:
  UnreliableDatabase& database_;
  std::unique_ptr<ports::Transaction> inner_;
  ports::Access access_;
};

Result<std::unique_ptr<ports::Transaction>> UnreliableDatabase::begin(ports::Access access) {
  TRY(hindered("begin"));
  std::unique_ptr<ports::Transaction> inner = TRY(inner_.begin(access));
  return std::unique_ptr<ports::Transaction>(std::make_unique<Turn>(*this, std::move(inner), access));
}

Result<ports::Rows> UnreliableDatabase::run(ports::Statement statement, std::span<const ports::Value> values) {
  TRY(hindered(statement.name));
  if (is_full()) return unavailable("the disk is full");
  die(statement.name, "before");
  Result<ports::Rows> rows = inner_.run(statement, values);
  if (!rows.ok() || !faults_.strikes(FaultKind::kDatabaseSilent)) return rows;
  tell_(std::string(statement.name) + " happens, and nobody hears of it");
  return unavailable("the answer was lost");
}

Status UnreliableDatabase::hindered(const std::string& call) {
  if (!faults_.strikes(FaultKind::kDatabaseAway)) return done();
  tell_("the database is away: " + call);
  return unavailable("the database is away");
}

bool UnreliableDatabase::is_full() {
  if (full_for_ == 0 && faults_.strikes(FaultKind::kDiskFull)) {
    full_for_ = 1 + dice_.below(kFullForMost);
    tell_("the database's disk is full, for " + std::to_string(full_for_) + " writes");
  }
  return full_for_ > 0 && full_for_-- > 0;
}

void UnreliableDatabase::die(const std::string& call, const char* when) {
  if (!faults_.strikes(FaultKind::kDeath)) return;
  tell_(std::string("dies ") + when + " " + call);
  throw Crash{};
}

}  // namespace reclaim::sim
