// What SQLite alone promises.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <string>

#include "contract/database/engines.hpp"

namespace reclaim {
namespace {

using database_sqlite::open_sqlite;
using database_sqlite::SqliteOptions;
using ports::Access;
using ports::Rows;
using ports::Value;
using ports::Values;
using test::Engine;
using test::named;

Values thing(std::string key, std::string note = "") { return {std::move(key), std::int64_t{1}, std::move(note)}; }

mode_t mode_of(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 0777u : 0;
}

TEST(Sqlite, FilesAreForTheirOwnerAlone) {
  const test::Subject subject(Engine::kFile);
  const mode_t mask = ::umask(0);
  const auto database = subject.open().value();
  EXPECT_TRUE(database->run(named("put"), thing("a")).ok());
  ::umask(mask);
  for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(subject.file() + suffix), 0600u) << suffix;
}

TEST(Sqlite, AWriterElsewhereIsContention) {
  const test::Subject subject(Engine::kFile);
  SqliteOptions hasty = subject.sqlite();
  hasty.file_patience = Millis(20);
  const auto database = subject.open().value();
  const auto other = open_sqlite(hasty).value();
  const auto writing = database->begin(Access::kWrite).value();
  EXPECT_EQ(other->begin(Access::kWrite).error().kind, Error::Kind::kContended);
  EXPECT_EQ(other->run(named("put"), thing("a")).error().kind, Error::Kind::kContended);
  EXPECT_TRUE(other->run(named("everything"), Values{}).ok());
}

TEST(Sqlite, ASecondWriterOfTheSameThreadIsContention) {
  for (const Engine engine : {Engine::kFile, Engine::kMemory}) {
    const test::Subject subject(engine);
    SqliteOptions hasty = subject.sqlite();
    hasty.patience = Millis(20);
    const auto database = open_sqlite(hasty).value();
    const auto writing = database->begin(Access::kWrite).value();
    EXPECT_EQ(database->begin(Access::kWrite).error().kind, Error::Kind::kContended);
  }
}

TEST(Sqlite, WhatIsNotADatabaseIsCorrupt) {
  const test::Subject subject(Engine::kFile);
  std::ofstream(subject.file()) << std::string(8192, 'x');
  EXPECT_EQ(subject.open().error().kind, Error::Kind::kCorrupt);
}

TEST(Sqlite, ADirectoryThatIsNotThereIsUnavailable) {
  const test::Subject subject(Engine::kFile);
  SqliteOptions options = subject.sqlite();
  options.path = subject.file() + "/none/data.db";
  const Error refused = open_sqlite(options).error();
  EXPECT_EQ(refused.kind, Error::Kind::kUnavailable);
  EXPECT_NE(refused.message.find(options.path), std::string::npos);
}

TEST(Sqlite, AFullDiskFailsTheTransactionAndNothingElse) {
  const test::Subject subject(Engine::kFile);
  const auto database = subject.open().value();
  EXPECT_TRUE(database->run(named("put"), thing("before")).ok());
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit full{256 * 1024, limit.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  const Result<Rows> stored = database->run(named("put"), thing("big", std::string(4 * 1024 * 1024, 'x')));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(stored.error().kind, Error::Kind::kUnavailable) << stored.error().message;
  EXPECT_TRUE(database->run(named("put"), thing("after")).ok());
  EXPECT_EQ(database->run(named("everything"), Values{}).value().size(), 2u);
}

}  // namespace
}  // namespace reclaim
