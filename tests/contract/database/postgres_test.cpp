// What PostgreSQL alone promises: locks of rows, connections that break.
#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <thread>

#include "contract/database/engines.hpp"

namespace reclaim {
namespace {

using database_postgres::open_postgres;
using database_postgres::PostgresOptions;
using ports::Access;
using ports::Database;
using ports::Rows;
using ports::Value;
using ports::Values;
using test::Engine;
using test::named;
using test::PrivatePostgres;

class Postgres : public testing::Test {
 protected:
  Postgres() : subject_(Engine::kPostgres), opened_(subject_.open().value()) {}

  Database& database() { return *opened_; }
  void put(std::string key, std::int64_t value) { (void)opened_->run(named("put"), Values{std::move(key), value, Value()}).value(); }
  std::unique_ptr<Database> open_with(void (*change)(PostgresOptions&)) {
    PostgresOptions options = subject_.postgres();
    change(options);
    return open_postgres(options).value();
  }

  static void terminate(const Rows& backend) {
    // With a limit, the function waits until the process has gone.
    PrivatePostgres::shared().execute("SELECT pg_terminate_backend(" + std::to_string(backend[0].integer(0)) + ", 10000)");
  }

  test::Subject subject_;
  std::unique_ptr<Database> opened_;
};

TEST_F(Postgres, ADeadlockIsContentionForOneAndTheOtherGoesOn) {
  put("a", 0);
  put("b", 0);
  std::latch both_hold_one(2);
  const auto lock_two = [&](const char* first, const char* second) {
    const auto transaction = database().begin(Access::kWrite).value();
    (void)transaction->run(named("value_for_update"), Values{first}).value();
    both_hold_one.arrive_and_wait();
    const Result<Rows> locked = transaction->run(named("value_for_update"), Values{second});
    return locked.ok() ? transaction->commit() : Status(locked.error());
  };
  Status other = done();
  std::jthread thread([&] { other = lock_two("b", "a"); });
  const Status mine = lock_two("a", "b");
  thread.join();
  ASSERT_NE(mine.ok(), other.ok());
  EXPECT_EQ((mine.ok() ? other : mine).error().kind, Error::Kind::kContended);
}

TEST_F(Postgres, ALockNotHadInTimeIsContention) {
  put("a", 0);
  const auto hasty = open_with([](PostgresOptions& options) { options.lock_timeout = Millis(20); });
  const auto holding = database().begin(Access::kWrite).value();
  EXPECT_TRUE(holding->run(named("value_for_update"), Values{"a"}).ok());
  EXPECT_EQ(hasty->run(named("set_value"), Values{"a", 1}).error().kind, Error::Kind::kContended);
}

TEST_F(Postgres, LockedRowsCanBeSkipped) {
  put("a", 0);
  put("b", 0);
  const auto first = database().begin(Access::kWrite).value();
  const auto second = database().begin(Access::kWrite).value();
  EXPECT_EQ(first->run(named("claim"), Values{}).value()[0].text(0), "a");
  EXPECT_EQ(second->run(named("claim"), Values{}).value()[0].text(0), "b");
}

TEST_F(Postgres, TheTurnIsHeldUntilTheTransactionEnds) {
  const auto hasty = open_with([](PostgresOptions& options) { options.lock_timeout = Millis(20); });
  auto holding = database().begin(Access::kWrite).value();
  EXPECT_TRUE(holding->run(named("turn"), Values{}).ok());
  EXPECT_EQ(hasty->run(named("turn"), Values{}).error().kind, Error::Kind::kContended);
  EXPECT_TRUE(holding->commit().ok());
  EXPECT_TRUE(hasty->run(named("turn"), Values{}).ok());
}

TEST_F(Postgres, AConnectionLostInATransactionIsUnavailableAndTheNextTransactionWorks) {
  {
    const auto transaction = database().begin(Access::kWrite).value();
    EXPECT_TRUE(transaction->run(named("put"), Values{"a", 1, Value()}).ok());
    terminate(transaction->run(named("backend"), Values{}).value());
    const Error lost = transaction->run(named("put"), Values{"b", 1, Value()}).error();
    EXPECT_EQ(lost.kind, Error::Kind::kUnavailable);
    EXPECT_NE(lost.message.find("nothing of the transaction happened"), std::string::npos) << lost.message;
  }
  put("c", 1);
  EXPECT_EQ(database().run(named("everything"), Values{}).value().size(), 1u);
}

TEST_F(Postgres, AConnectionLostAtCommitSaysThatItMayHaveHappened) {
  const auto transaction = database().begin(Access::kWrite).value();
  EXPECT_TRUE(transaction->run(named("put"), Values{"a", 1, Value()}).ok());
  terminate(transaction->run(named("backend"), Values{}).value());
  const Error lost = transaction->commit().error();
  EXPECT_EQ(lost.kind, Error::Kind::kUnavailable);
  EXPECT_NE(lost.message.find("may or may not"), std::string::npos) << lost.message;
}

TEST_F(Postgres, AConnectionThatBrokeWhileIdleIsNotNoticedByAnybody) {
  for (int i = 0; i < 3; ++i) terminate(database().run(named("backend"), Values{}).value());
  put("a", 1);
}

TEST_F(Postgres, AStatementThatTakesTooLongIsUnavailable) {
  const auto hasty = open_with([](PostgresOptions& options) { options.statement_timeout = Millis(50); });
  EXPECT_EQ(hasty->run(named("nap"), Values{}).error().kind, Error::Kind::kUnavailable);
  EXPECT_TRUE(hasty->run(named("everything"), Values{}).ok());
}

TEST_F(Postgres, MoreTransactionsThanConnectionsWaitAndThenAreRefused) {
  const auto narrow = open_with([](PostgresOptions& options) {
    options.connections = 1;
    options.patience = Millis(20);
  });
  const auto transaction = narrow->begin(Access::kWrite).value();
  EXPECT_EQ(narrow->begin(Access::kWrite).error().kind, Error::Kind::kUnavailable);
}

TEST_F(Postgres, APreparedStatementOutlivesAChangeOfItsTable) {
  put("a", 1);
  const auto narrow = open_with([](PostgresOptions& options) { options.connections = 1; });
  EXPECT_TRUE(narrow->run(named("value_of"), Values{"a"}).ok());
  const std::unique_ptr<PGconn, decltype(&PQfinish)> session(PQconnectdb(subject_.postgres().conninfo.c_str()), PQfinish);
  PQclear(PQexec(session.get(), "ALTER TABLE things ALTER COLUMN value TYPE TEXT"));
  EXPECT_FALSE(narrow->run(named("value_of"), Values{"a"}).ok());
  EXPECT_EQ(narrow->run(named("value_of"), Values{"a"}).value()[0].text(0), "1");
}

TEST(PostgresConnection, ThatCannotBeMadeIsUnavailableAndSaysWhy) {
  const Error refused = open_postgres({.conninfo = "postgresql://somebody:s3cret@/nowhere?host=/nonexistent"}).error();
  EXPECT_EQ(refused.kind, Error::Kind::kUnavailable);
  EXPECT_NE(refused.message.find("/nonexistent"), std::string::npos) << refused.message;
  EXPECT_EQ(refused.message.find("s3cret"), std::string::npos) << refused.message;
}

TEST(PostgresConnection, StringsThatCannotBeReadAreRefusedWithoutBeingShown) {
  for (const char* conninfo : {"host=x s3cret", "postgresql://u:s3cret@s3cret@host/db", "postgresql://u:s3cret/s3cret@host/db",
                               "postgresql://u@host/db?s3cret=1", "host=x port=s3cret"}) {
    const Error refused = open_postgres({.conninfo = conninfo}).error();
    EXPECT_EQ(refused.kind, Error::Kind::kInvalid) << conninfo;
    EXPECT_EQ(refused.message.find("s3cret"), std::string::npos) << refused.message;
  }
}

}  // namespace
}  // namespace reclaim
