// Copies of a SQLite file in use.
#include "adapters/database_sqlite/live_copy.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "contract/database/engines.hpp"
#include "support/temp_directory.hpp"

namespace reclaim {
namespace {

using database_sqlite::LiveCopy;
using database_sqlite::open_sqlite;
using database_sqlite::SqliteOptions;
using ports::Values;
using test::Engine;
using test::named;

Values thing(std::string key) { return {std::move(key), std::int64_t{1}, std::string()}; }

class LiveCopies : public testing::Test {
 protected:
  SqliteOptions options() const {
    SqliteOptions hasty = subject.sqlite();
    hasty.file_patience = Millis(20);
    return hasty;
  }
  std::size_t things_in(const std::string& file) const {
    SqliteOptions of = options();
    of.path = file;
    return open_sqlite(of).value()->run(named("everything"), Values{}).value().size();
  }

  const test::Subject subject{Engine::kFile};
  const std::unique_ptr<ports::Database> database = open_sqlite(options()).value();
  testing_support::TempDirectory directory;
  const std::string to = directory / "copy";
};

TEST_F(LiveCopies, NobodyCommitsFromTheirBeginningToTheRelease) {
  EXPECT_TRUE(database->run(named("put"), thing("before")).ok());
  const std::unique_ptr<LiveCopy> copy = LiveCopy::begin(subject.file(), Millis(20)).value();
  EXPECT_EQ(database->run(named("put"), thing("meanwhile")).error().kind, Error::Kind::kContended);
  EXPECT_EQ(database->run(named("everything"), Values{}).value().size(), 1U) << "readers go on";
  ASSERT_TRUE(copy->release().ok());
  EXPECT_TRUE(database->run(named("put"), thing("after")).ok());
  ASSERT_TRUE(copy->write(to, nullptr).ok());
  EXPECT_EQ(things_in(to), 1U);
  EXPECT_EQ(things_in(subject.file()), 2U);
}

TEST_F(LiveCopies, AreForTheirOwnerAloneAndOneFile) {
  EXPECT_TRUE(database->run(named("put"), thing("a")).ok());
  const mode_t mask = ::umask(0);
  {
    const std::unique_ptr<LiveCopy> copy = LiveCopy::begin(subject.file(), Millis(20)).value();
    ASSERT_TRUE(copy->write(to, nullptr).ok());
  }
  ::umask(mask);
  struct stat file {};
  ASSERT_EQ(::stat(to.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
  const std::filesystem::directory_iterator first(directory.path());
  EXPECT_EQ(std::distance(begin(first), end(first)), 1);
}

TEST_F(LiveCopies, OneThatIsGivenUpHoldsNobody) {
  (void)LiveCopy::begin(subject.file(), Millis(20)).value();
  EXPECT_TRUE(database->run(named("put"), thing("a")).ok());
}

TEST_F(LiveCopies, WaitForTheWriterAsLongAsTheyMay) {
  const auto writing = database->begin(ports::Access::kWrite).value();
  EXPECT_EQ(LiveCopy::begin(subject.file(), Millis(20)).error().kind, Error::Kind::kContended);
}

TEST_F(LiveCopies, EndWhereTheirMakerSaysSo) {
  const std::string note(std::size_t{1} << 20U, 'x');
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(database->run(named("put"), Values{std::to_string(i), std::int64_t{1}, note}).ok());
  const std::unique_ptr<LiveCopy> copy = LiveCopy::begin(subject.file(), Millis(20)).value();
  std::uint64_t told = 0;
  const auto written = [&](std::uint64_t bytes) {
    told = bytes;
    return Status(unavailable("enough"));
  };
  EXPECT_EQ(copy->write(to, written).error().message, "enough");
  EXPECT_GT(told, std::uint64_t{1} << 20U);
}

}  // namespace
}  // namespace reclaim
