// Copies of an LMDB store in use, and stores made of copies.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "adapters/objects_lmdb/copy_store.hpp"
#include "adapters/objects_lmdb/lmdb_store.hpp"
#include "contract/store/child.hpp"
#include "contract/store/raw_lmdb.hpp"
#include "contract/store/stores.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {
namespace {

using objects_lmdb::copy_store;
using objects_lmdb::kVersionsSkipped;
using objects_lmdb::open_lmdb;
using objects_lmdb::skip_versions;
using ports::ObjectName;
using ports::Version;
using testing_support::TempDirectory;
using enum Error::Kind;

ObjectName segment(int number) { return {"segment", std::to_string(number)}; }

class StoreCopies : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(copied); }

  std::unique_ptr<ports::ObjectStore> open(const std::string& path) { return open_lmdb({.directory = path, .fsync = false}).value(); }
  Status copy(const std::function<Status()>& begun = [] { return done(); }) {
    return copy_store(directory, copied + "/data.mdb", {.begun = begun});
  }

  TempDirectory parent{TempDirectory::in_memory()};
  std::string directory = parent / "objects";
  std::string copied = parent / "copied";
};

TEST_F(StoreCopies, HoldEveryObjectAtItsVersion) {
  std::vector<Version> versions;
  {
    const auto store = open(directory);
    for (int i = 0; i < 300; ++i)
      versions.push_back(store->create(segment(i), std::string(static_cast<std::size_t>(i) * 700, 'x')).value());
    EXPECT_TRUE(store->remove(segment(7), versions[7]).ok());
  }
  std::uint64_t told = 0;
  const auto written = [&](std::uint64_t bytes) { return told = bytes, done(); };
  ASSERT_TRUE(copy_store(directory, copied + "/data.mdb", {.begun = [] { return done(); }, .written = written}).ok());
  struct stat file {};
  ASSERT_EQ(::stat((copied + "/data.mdb").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
  const auto copy = open(copied);
  EXPECT_EQ(copy->list_all("segment").value().size(), 299U);
  for (int i = 0; i < 300; ++i) {
    if (i == 7) continue;
    const ports::Object object = copy->read(segment(i)).value();
    EXPECT_EQ(object.version, versions.at(static_cast<std::size_t>(i)));
    EXPECT_EQ(object.bytes.size(), static_cast<std::size_t>(i) * 700);
  }
  EXPECT_GT(copy->create(segment(7), "again").value(), versions.back());
}

TEST_F(StoreCopies, AreOfTheMomentTheyBeganAndDelayNoWriter) {
  Child other([&](Child& child) {
    const auto store = open(directory);
    const Version before = store->create(segment(1), "before").value();
    child.tell(1);
    child.await_go();
    const bool written = store->replace(segment(1), before, "after").ok() && store->create(segment(2), "after").ok();
    child.tell(2);
    return written;
  });
  ASSERT_EQ(other.hear(), 1U);
  const Status copied_all = copy([&] {
    other.go();
    return other.hear() == 2 ? done() : Status(conflict("the writer did not write"));
  });
  ASSERT_TRUE(copied_all.ok()) << copied_all.error().message;
  EXPECT_TRUE(other.succeeds());
  EXPECT_EQ(open(directory)->read(segment(1)).value().bytes, "after");
  const auto copy = open(copied);
  EXPECT_EQ(copy->read(segment(1)).value().bytes, "before");
  EXPECT_EQ(failure(copy->read(segment(2))), kNotFound);
}

TEST_F(StoreCopies, DrawVersionsThatNobodyDrewBefore) {
  const Version last = open(directory)->create(segment(1), "x").value();
  ASSERT_TRUE(copy().ok());
  ASSERT_TRUE(skip_versions(copied, 5).ok()) << "a clock that is wrong";
  const Version next = open(copied)->create(segment(2), "x").value();
  EXPECT_EQ(next.number, last.number + kVersionsSkipped + 1);
  constexpr std::uint64_t kLater = std::uint64_t{1} << 50U;
  ASSERT_TRUE(skip_versions(copied, kLater).ok());
  EXPECT_EQ(open(copied)->create(segment(3), "x").value().number, kLater + 1);
  EXPECT_EQ(open(copied)->read(segment(1)).value().version, last) << "what is there stays as it is";
}

TEST_F(StoreCopies, EndWhereTheirMakerOrTheDiskSaysSo) {
  {
    const auto store = open(directory);
    for (int i = 0; i < 5; ++i) store->create(segment(i), std::string(std::size_t{15} << 20U, 'x')).value();
  }
  EXPECT_EQ(failure(copy([] { return Status(conflict("no")); })), kConflict);
  const auto written = [](std::uint64_t) { return Status(unavailable("enough")); };
  EXPECT_EQ(copy_store(directory, copied + "/data.mdb", {.begun = [] { return done(); }, .written = written}).error().message,
            copied + "/data.mdb: enough");
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit full{std::size_t{32} << 20U, limit.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  const Status stopped = copy_store(directory, copied + "/full.mdb", {.begun = [] { return done(); }});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(failure(stopped), kUnavailable);
}

TEST_F(StoreCopies, AreMadeOfStoresOfThisProgramOnly) {
  std::filesystem::create_directory(directory);
  RawLmdb(directory).put("something", "else");
  EXPECT_EQ(failure(copy()), kCorrupt);
  RawLmdb(directory).put("!store", std::string("RCLMOBJS\x02\0\0\0\0\0\0\0\0\0\0\0", 20));
  EXPECT_EQ(failure(copy()), kInvalid);
  EXPECT_EQ(failure(skip_versions(directory, 1)), kInvalid);
  EXPECT_TRUE(std::filesystem::is_empty(copied));
}

}  // namespace
}  // namespace reclaim::test
