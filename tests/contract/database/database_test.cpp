// What every engine keeps, as ports/database.hpp and the engines' headers promise it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "contract/database/engines.hpp"

namespace reclaim {
namespace {

using ports::Access;
using ports::Database;
using ports::Rows;
using ports::Transaction;
using ports::Value;
using ports::Values;
using test::Engine;
using test::named;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
const Value kNull;

Values thing(std::string key, std::int64_t value) { return {std::move(key), value, kNull}; }

class AnyDatabase : public testing::TestWithParam<Engine> {
 protected:
  AnyDatabase() : subject_(GetParam()), opened_(subject_.open().value()) {}

  Database& database() { return *opened_; }
  std::unique_ptr<Transaction> begin(Access access) { return opened_->begin(access).value(); }
  void put(std::string key, std::int64_t value) { (void)opened_->run(named("put"), thing(std::move(key), value)).value(); }
  std::string keys() { return keys_in(*opened_); }

  static std::string keys_in(Database& database) {
    std::string keys;
    const Rows rows = database.run(named("everything"), Values{}).value();
    for (const ports::Row& row : rows) keys += row.text(0) + " ";
    return keys;
  }

  // Runs in a process of its own and answers its exit code; -1 when it was killed.
  template <class Work>
  static pid_t start_process(Work&& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work());
    return child;
  }
  static int exit_code(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  test::Subject subject_;
  std::unique_ptr<Database> opened_;
};

// Engines that several processes can open at once.
class SharedDatabase : public AnyDatabase {};

INSTANTIATE_TEST_SUITE_P(Engines, AnyDatabase, testing::Values(Engine::kFile, Engine::kMemory, Engine::kPostgres), test::name_of);
INSTANTIATE_TEST_SUITE_P(Engines, SharedDatabase, testing::Values(Engine::kFile, Engine::kPostgres), test::name_of);

TEST_P(AnyDatabase, ATransactionThatIsDroppedHasChangedNothing) {
  put("a", 1);
  {
    const auto transaction = begin(Access::kWrite);
    EXPECT_TRUE(transaction->run(named("put"), thing("b", 2)).ok());
    EXPECT_EQ(transaction->run(named("everything"), Values{}).value().size(), 2u);
  }
  EXPECT_EQ(keys(), "a ");
}

TEST_P(AnyDatabase, ATransactionThatRanNothingCommits) {
  EXPECT_TRUE(begin(Access::kWrite)->commit().ok());
  EXPECT_TRUE(begin(Access::kRead)->commit().ok());
}

TEST_P(AnyDatabase, ValuesComeBackAsTheyWere) {
  const std::string text = "it's \"quoted\"; \\ % $1 @each -- \xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x80\n\t";
  EXPECT_TRUE(database().run(named("put"), Values{"1", kLowest, text}).ok());
  EXPECT_TRUE(database().run(named("put"), Values{"2", kHighest, ""}).ok());
  EXPECT_TRUE(database().run(named("put"), Values{"3", kNull, kNull}).ok());
  const Rows rows = database().run(named("everything"), Values{}).value();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].integer(1), kLowest);
  EXPECT_EQ(rows[0].text(2), text);
  EXPECT_EQ(rows[1].integer(1), kHighest);
  EXPECT_EQ(rows[1].text(2), "");
  EXPECT_TRUE(rows[2].is_null(1));
  EXPECT_TRUE(rows[2].is_null(2));
}

TEST_P(AnyDatabase, TextIsSortedByItsBytes) {
  for (const char* key : {"b", "a", "B", "a-b", "ab", "\xc3\xa4", "Z", "_"}) put(key, 0);
  EXPECT_EQ(keys(), "B Z _ a a-b ab b \xc3\xa4 ");
}

TEST_P(AnyDatabase, TextWithANulByteIsRefused) {
  const Result<Rows> stored = database().run(named("put"), Values{std::string("a\0b", 3), 1, kNull});
  EXPECT_EQ(stored.error().kind, Error::Kind::kInvalid);
  EXPECT_EQ(keys(), "");
}

TEST_P(AnyDatabase, AParameterMayBeUsedTwiceAndInAnyOrder) {
  const Rows rows = database().run(named("swapped"), Values{"x", 7}).value();
  EXPECT_EQ(rows[0].integer(0), 7);
  EXPECT_EQ(rows[0].text(1), "x");
  EXPECT_EQ(rows[0].integer(2), 7);
}

TEST_P(AnyDatabase, AStatementSaysWhatItChangedAndReturned) {
  const Rows made = database().run(named("put_returning"), Values{"a", 1}).value();
  EXPECT_EQ(made.changed, 2);
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(made[1].text(0), "a2");
  const Rows read = database().run(named("everything"), Values{}).value();
  EXPECT_EQ(read.changed, 0);
  EXPECT_EQ(read.size(), 2u);
  EXPECT_EQ(database().run(named("set_value"), Values{"none", 1}).value().changed, 0);
  EXPECT_EQ(database().run(named("set_value"), Values{"a", 5}).value().changed, 1);
  EXPECT_EQ(database().run(named("remove"), Values{"a"}).value().changed, 1);
}

TEST_P(AnyDatabase, SumsAreIntegersAndOfNothingNull) {
  EXPECT_TRUE(database().run(named("sum"), Values{}).value()[0].is_null(0));
  put("a", 40);
  put("b", 2);
  const Rows sum = database().run(named("sum"), Values{}).value();
  EXPECT_EQ(sum[0].integer(0), 42);
  EXPECT_EQ(sum[0].integer(1), 2);
  EXPECT_EQ(sum[0].text(2), "b");
}

TEST_P(AnyDatabase, ARealIsCorrupt) { EXPECT_EQ(database().run(named("half"), Values{}).error().kind, Error::Kind::kCorrupt); }

TEST_P(AnyDatabase, TheGreaterOfNullIsNull) {
  const Rows some = database().run(named("between"), Values{3, 5}).value();
  EXPECT_EQ(some[0].integer(0), 5);
  EXPECT_EQ(some[0].integer(1), 3);
  const Rows none = database().run(named("between"), Values{3, kNull}).value();
  EXPECT_TRUE(none[0].is_null(0));
  EXPECT_TRUE(none[0].is_null(1));
}

TEST_P(AnyDatabase, AConstraintIsAConflictAndTheTransactionIsLost) {
  put("a", 1);
  const auto transaction = begin(Access::kWrite);
  EXPECT_TRUE(transaction->run(named("put"), thing("b", 1)).ok());
  EXPECT_EQ(transaction->run(named("put"), thing("a", 2)).error().kind, Error::Kind::kConflict);
  EXPECT_FALSE(transaction->run(named("put"), thing("c", 3)).ok());
  EXPECT_EQ(transaction->commit().error().kind, Error::Kind::kConflict);
}

TEST_P(AnyDatabase, AFailedTransactionLeavesTheNextOneWhole) {
  put("a", 1);
  {
    const auto transaction = begin(Access::kWrite);
    EXPECT_TRUE(transaction->run(named("put"), thing("b", 1)).ok());
    EXPECT_FALSE(transaction->run(named("misspelt"), Values{}).ok());
  }
  EXPECT_EQ(keys(), "a ");
  put("c", 3);
  EXPECT_EQ(keys(), "a c ");
}

TEST_P(AnyDatabase, AForeignKeyIsAConflict) {
  EXPECT_EQ(database().run(named("put_part"), Values{999}).error().kind, Error::Kind::kConflict);
}

TEST_P(AnyDatabase, AnErrorNamesTheStatement) {
  EXPECT_NE(database().run(named("misspelt"), Values{}).error().message.find("misspelt: "), std::string::npos);
}

TEST_P(AnyDatabase, AReadTransactionRefusesToWrite) {
  put("a", 1);
  const auto transaction = begin(Access::kRead);
  EXPECT_EQ(transaction->run(named("value_of"), Values{"a"}).value()[0].integer(0), 1);
  EXPECT_EQ(transaction->run(named("set_value"), Values{"a", 2}).error().kind, Error::Kind::kInvalid);
}

TEST_P(AnyDatabase, TheTurnIsTaken) {
  const auto transaction = begin(Access::kWrite);
  EXPECT_EQ(transaction->run(named("turn"), Values{}).value()[0].integer(0), 1);
  EXPECT_TRUE(transaction->commit().ok());
}

TEST_P(AnyDatabase, AHundredThousandElementsAreOneParameter) {
  std::string objects = "[";
  std::string names = "[";
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = "\"key-" + std::to_string(i) + "\"";
    objects += (i > 0 ? "," : "") + std::string("{\"key\":") + key + ",\"value\":" + std::to_string(i) + "}";
    names += (i > 0 ? "," : "") + key;
  }
  objects += "]";
  names += "]";
  EXPECT_EQ(database().run(named("put_each"), Values{objects}).value().changed, 100'000);
  EXPECT_EQ(database().run(named("put_each"), Values{objects}).value().changed, 100'000);
  EXPECT_EQ(database().run(named("each_text"), Values{names}).value()[99'999].text(0), "key-99999");
  EXPECT_EQ(database().run(named("known_of"), Values{names}).value()[0].integer(0), 100'000);
  const Rows all = database().run(named("everything"), Values{}).value();
  ASSERT_EQ(all.size(), 100'000u);
  EXPECT_EQ(all[99'999].text(0), "key-99999");
  EXPECT_EQ(all[99'999].integer(1), 99'999);
}

TEST_P(AnyDatabase, ElementsKeepTheirQuotesAndNulls) {
  const Rows texts = database().run(named("each_text"), Values{R"(["it's", "\"x\"", "ä€", "", "1"])"}).value();
  ASSERT_EQ(texts.size(), 5u);
  EXPECT_EQ(texts[0].text(0), "it's");
  EXPECT_EQ(texts[1].text(0), "\"x\"");
  EXPECT_EQ(texts[2].text(0), "ä€");
  EXPECT_EQ(texts[3].text(0), "");
  EXPECT_EQ(texts[4].text(0), "1");
  const std::string objects = R"([{"key":"a","value":-9223372036854775808}, {"key":"b","value":null}, {"key":"c"}])";
  EXPECT_TRUE(database().run(named("put_each"), Values{objects}).ok());
  EXPECT_EQ(database().run(named("value_of"), Values{"a"}).value()[0].integer(0), kLowest);
  EXPECT_TRUE(database().run(named("value_of"), Values{"b"}).value()[0].is_null(0));
  EXPECT_TRUE(database().run(named("value_of"), Values{"c"}).value()[0].is_null(0));
}

TEST_P(AnyDatabase, EightWritersOfOneRowLoseNoUpdate) {
  constexpr int kThreads = 8;
  constexpr int kIncrements = 200;
  put("counter", 0);
  const auto increment = [&](Transaction& transaction) -> Status {
    const Rows read = TRY(transaction.run(named("value_for_update"), Values{"counter"}));
    TRY(transaction.run(named("set_value"), Values{"counter", read[0].integer(0) + 1}));
    return done();
  };
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < kThreads; ++i) {
      writers.emplace_back([&] {
        for (int n = 0; n < kIncrements; ++n) EXPECT_TRUE(ports::transact(database(), Access::kWrite, increment).ok());
      });
    }
  }
  EXPECT_EQ(database().run(named("value_of"), Values{"counter"}).value()[0].integer(0), kThreads * kIncrements);
}

TEST_P(SharedDatabase, OthersSeeAChangeOnceItIsCommittedAndNotBefore) {
  const auto other = subject_.open().value();
  const auto transaction = begin(Access::kWrite);
  EXPECT_TRUE(transaction->run(named("put"), thing("a", 1)).ok());
  EXPECT_EQ(keys(), "");
  EXPECT_EQ(keys_in(*other), "");
  EXPECT_TRUE(transaction->commit().ok());
  EXPECT_EQ(keys(), "a ");
  EXPECT_EQ(keys_in(*other), "a ");
}

TEST_P(SharedDatabase, AReadTransactionSeesOneState) {
  put("a", 1);
  const auto reading = begin(Access::kRead);
  EXPECT_EQ(reading->run(named("everything"), Values{}).value().size(), 1u);
  put("b", 2);
  EXPECT_EQ(reading->run(named("everything"), Values{}).value().size(), 1u);
  EXPECT_TRUE(reading->commit().ok());
}

TEST_P(SharedDatabase, WhatIsCommittedIsThereAfterOpeningAnew) {
  put("a", 1);
  opened_.reset();
  const auto again = subject_.open().value();
  EXPECT_EQ(keys_in(*again), "a ");
}

TEST_P(SharedDatabase, AKilledProcessLeavesAllOfATransactionOrNothing) {
  opened_.reset();
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = start_process([&] {
    const auto database = subject_.open().value();
    (void)database->run(named("put"), thing("committed", 1)).value();
    const auto transaction = database->begin(Access::kWrite).value();
    (void)transaction->run(named("put"), thing("lost", 2)).value();
    (void)!::write(pipe[1], "x", 1);
    ::pause();
    return 0;
  });
  char byte;
  ASSERT_EQ(::read(pipe[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  EXPECT_EQ(exit_code(child), -1);
  ::close(pipe[0]);
  ::close(pipe[1]);
  const auto again = subject_.open().value();
  EXPECT_EQ(keys_in(*again), "committed ");
  EXPECT_TRUE(again->run(named("put"), thing("lost", 3)).ok());
}

class Schema : public testing::TestWithParam<Engine> {
 protected:
  Schema() : subject_(GetParam()) {}

  // A catalogue whose schema goes on from the tests' own.
  sql::Catalogue with(std::vector<sql::MigrationText> more) const {
    sql::Texts texts = test::texts();
    texts.migrations.insert(texts.migrations.end(), more.begin(), more.end());
    return {texts, subject_.dialect()};
  }

  test::Subject subject_;
};

INSTANTIATE_TEST_SUITE_P(Engines, Schema, testing::Values(Engine::kFile, Engine::kPostgres), test::name_of);

constexpr sql::MigrationText kMore{2, "more", "CREATE TABLE more (key @text);\nINSERT INTO things (key) VALUES ('two; words');\n"};
constexpr sql::MigrationText kBroken{3, "broken", "CREATE TABLE half (id @serial_key);\nCREATE TABLE things (id @serial_key);\n"};

TEST_P(Schema, IsBroughtUpToDateOnceAndKeepsWhatIsThere) {
  EXPECT_TRUE(subject_.open().value()->run(named("put"), thing("old", 1)).ok());
  const sql::Catalogue newer = with({kMore});
  EXPECT_EQ(subject_.open(newer).value()->run(named("everything"), Values{}).value().size(), 2u);
  EXPECT_EQ(subject_.open(newer).value()->run(named("everything"), Values{}).value().size(), 2u);
}

TEST_P(Schema, NewerThanTheProgramIsRefusedNamingBothVersions) {
  ASSERT_TRUE(subject_.open(with({kMore})).ok());
  const Error refused = subject_.open().error();
  EXPECT_EQ(refused.kind, Error::Kind::kInvalid);
  EXPECT_NE(refused.message.find("schema version 2, but this program knows only 1"), std::string::npos) << refused.message;
}

TEST_P(Schema, OfAnotherProgramIsCorrupt) {
  ASSERT_TRUE(subject_.open(with({kMore})).ok());
  const Error refused = subject_.open(with({{2, "other", "CREATE TABLE other (key @text);"}})).error();
  EXPECT_EQ(refused.kind, Error::Kind::kCorrupt) << refused.message;
}

TEST_P(Schema, WithAGapIsCorrupt) {
  const sql::Catalogue newer =
      with({kMore, {3, "gap", "DELETE FROM schema_migrations WHERE version = 2;\nCREATE TABLE third (key @text);"}});
  EXPECT_EQ(subject_.open(newer).error().kind, Error::Kind::kCorrupt);
}

TEST_P(Schema, AMigrationThatFailsLeavesTheOneBefore) {
  const Error failed = subject_.open(with({kMore, kBroken})).error();
  EXPECT_NE(failed.message.find("migration broken: "), std::string::npos) << failed.message;
  EXPECT_TRUE(subject_.open(with({kMore, {3, "mended", "CREATE TABLE half (id @serial_key);"}})).ok());
}

TEST_P(Schema, OpenedBySeveralProcessesAndThreadsAtOnceIsMadeOnce) {
  std::vector<pid_t> children;
  const sql::Catalogue newer = with({kMore});
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::atomic<int> failed = 0;
      {
        std::vector<std::jthread> threads;
        for (int n = 0; n < 2; ++n) {
          threads.emplace_back([&] {
            const auto opened = subject_.open(newer);
            if (opened.ok()) return;
            ++failed;
            std::fputs((opened.error().message + "\n").c_str(), stderr);
          });
        }
      }
      ::_exit(failed);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(subject_.open(newer).value()->run(named("everything"), Values{}).value().size(), 1u);
}

}  // namespace
}  // namespace reclaim
