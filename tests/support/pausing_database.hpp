// A database whose user stops just before one statement, until told to go on: how a test puts two transactions into the order that it
// is about.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/check.hpp"
#include "ports/database.hpp"

namespace reclaim::test {

// Stops the first run of `statement`, of whichever thread.
class PausingDatabase : public ports::Database {
 public:
  PausingDatabase(ports::Database& inner, ports::Statement statement) : inner_(inner), statement_(statement.number) {}

  Result<std::unique_ptr<ports::Transaction>> begin(ports::Access access) override {
    std::unique_ptr<ports::Transaction> inner = TRY(inner_.begin(access));
    return std::unique_ptr<ports::Transaction>(std::make_unique<Paused>(*this, std::move(inner)));
  }
  Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override {
    pause_at(statement);
    return inner_.run(statement, values);
  }
  using ports::Database::run;

  void wait_until_reached() {
    std::unique_lock lock(mutex_);
    check(changed_.wait_for(lock, kPatience, [&] { return reached_; }), "the statement to pause at is reached");
  }
  void go_on() {
    const std::lock_guard lock(mutex_);
    may_go_on_ = true;
    changed_.notify_all();
  }

 private:
  static constexpr std::chrono::seconds kPatience{30};

  class Paused : public ports::Transaction {
   public:
    Paused(PausingDatabase& database, std::unique_ptr<ports::Transaction> inner) : database_(database), inner_(std::move(inner)) {}
    Result<ports::Rows> run(ports::Statement statement, std::span<const ports::Value> values) override {
      database_.pause_at(statement);
      return inner_->run(statement, values);
    }
    Status commit() override { return inner_->commit(); }
    using ports::Transaction::run;

   private:
    PausingDatabase& database_;
    std::unique_ptr<ports::Transaction> inner_;
  };

  void pause_at(ports::Statement statement) {
    std::unique_lock lock(mutex_);
    if (statement.number != statement_ || reached_) return;
    reached_ = true;
    changed_.notify_all();
    check(changed_.wait_for(lock, kPatience, [&] { return may_go_on_; }), "somebody lets the paused statement go on");
  }

  ports::Database& inner_;
  const std::uint16_t statement_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
  bool may_go_on_ = false;
};

}  // namespace reclaim::test
