// What the LMDB store adds to the port's promises: its directory, its size, what it refuses to open.
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "adapters/objects_lmdb/lmdb_store.hpp"
#include "contract/store/raw_lmdb.hpp"
#include "contract/store/stores.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {
namespace {

using objects_lmdb::open_lmdb;
using ports::ObjectName;
using ports::Version;
using testing_support::TempDirectory;
using enum Error::Kind;

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

class LmdbStore : public testing::Test {
 protected:
  std::unique_ptr<ports::ObjectStore> open(std::size_t bytes_max = std::size_t{1} << 30U, bool fsync = true) {
    return open_lmdb({.directory = directory, .bytes_max = bytes_max, .fsync = fsync}).value();
  }
  // Why the directory, prepared by the test, is not opened.
  Error refusal() { return open_lmdb({.directory = directory}).error(); }
  mode_t mode_of(const std::string& path) {
    struct stat found {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0);
    return found.st_mode & 0777U;
  }

  TempDirectory parent;
  std::string directory = parent / "objects";
};

ObjectName segment(int number) { return {"segment", std::to_string(number)}; }

TEST_F(LmdbStore, ItsDirectoryIsForItsOwnerAlone) {
  const auto store = open();
  EXPECT_EQ(mode_of(directory), 0700U);
  EXPECT_EQ(mode_of(directory + "/data.mdb"), 0600U);
  EXPECT_EQ(mode_of(directory + "/lock.mdb"), 0600U);
}

TEST_F(LmdbStore, ALinkAFileAndAMissingParentAreRefused) {
  std::filesystem::create_directory(parent / "elsewhere");
  std::filesystem::create_directory_symlink(parent / "elsewhere", directory);
  EXPECT_EQ(refusal().kind, kConflict);
  EXPECT_EQ(refusal().message, directory + ": is a symbolic link: name the directory itself");
  directory += "/";
  EXPECT_EQ(refusal().kind, kConflict);
  directory = parent / "file";
  std::ofstream(directory) << "text";
  EXPECT_EQ(refusal().message, directory + ": is not a directory");
  directory = parent / "nowhere/objects";
  EXPECT_EQ(refusal().kind, kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(parent / "elsewhere"));
}

TEST_F(LmdbStore, ADirectoryIsOpenOnceInAProcess) {
  auto store = open();
  EXPECT_EQ(refusal().message, directory + ": is open in this process already");
  EXPECT_EQ(refusal().kind, kConflict);
  EXPECT_TRUE(store->create(segment(1), "x").ok());
  store.reset();
  EXPECT_TRUE(open()->read(segment(1)).ok());
}

TEST_F(LmdbStore, AStoreOfANewerProgramIsRefused) {
  std::filesystem::create_directory(directory);
  RawLmdb(directory).put("!store", std::string("RCLMOBJS\x02\0\0\0\0\0\0\0\0\0\0\0", 20));
  EXPECT_EQ(refusal().kind, kInvalid);
  EXPECT_EQ(refusal().message, directory + ": was written by a newer program: its format is 2, this one knows 1");
}

TEST_F(LmdbStore, OtherPeoplesFilesAreRefused) {
  std::filesystem::create_directory(directory);
  RawLmdb(directory).put("something", "else");
  EXPECT_EQ(refusal().kind, kCorrupt);
  directory = parent / "damaged";
  open();
  RawLmdb(directory).put("!store", "RCLMOBJS");
  EXPECT_EQ(refusal().kind, kCorrupt);
  directory = parent / "text";
  std::filesystem::create_directory(directory);
  std::ofstream(directory + "/data.mdb") << std::string(100'000, 'x');
  EXPECT_EQ(refusal().kind, kCorrupt);
}

TEST_F(LmdbStore, AnUnreadableHeaderIsCorruptWhateverIsAsked) {
  open();
  const std::string zeros(8, '\0');
  const std::vector<std::string> bad = {"", "RCO1", "RCO1" + zeros + "bytes", "RCO2\x01" + zeros + "bytes"};
  for (std::size_t i = 0; i < bad.size(); ++i) RawLmdb(directory).put(segment(static_cast<int>(i)).str(), bad[i]);
  const auto store = open();
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const ObjectName name = segment(static_cast<int>(i));
    EXPECT_EQ(failure(store->read(name)), kCorrupt) << i;
    EXPECT_EQ(failure(store->create(name, "x")), kCorrupt) << i;
    EXPECT_EQ(failure(store->replace(name, {1}, "x")), kCorrupt) << i;
    EXPECT_EQ(failure(store->remove(name, {1})), kCorrupt) << i;
  }
  EXPECT_EQ(store->list_all("segment").value().size(), bad.size());
  EXPECT_TRUE(store->create(segment(100), "others go on").ok());
}

TEST_F(LmdbStore, AFullStoreRefusesAndGoesOn) {
  const auto store = open(8 * kMebibyte);
  std::vector<Version> versions;
  for (;;) {
    const Result<Version> created = store->create(segment(static_cast<int>(versions.size())), std::string(kMebibyte, 'x'));
    if (!created.ok()) {
      EXPECT_EQ(created.error().kind, kUnavailable);
      EXPECT_EQ(created.error().message, "the store is full: its limit is 8388608 bytes");
      break;
    }
    versions.push_back(created.value());
    ASSERT_LT(versions.size(), 8U);
  }
  EXPECT_GE(versions.size(), 4U);
  EXPECT_EQ(store->list_all("segment").value().size(), versions.size());
  EXPECT_TRUE(store->remove(segment(0), versions[0]).ok());
  EXPECT_TRUE(store->remove(segment(1), versions[1]).ok());
  EXPECT_GT(store->create(segment(0), std::string(kMebibyte, 'y')).value(), versions.back());
  EXPECT_EQ(failure(open_lmdb({.directory = parent / "small", .bytes_max = 1000})), kInvalid);
}

TEST_F(LmdbStore, TheMapMovesUnderReadersAndWriters) {
  const auto store = open(std::size_t{1} << 30U, false);
  store->create({"agent", "a"}, "here").value();
  std::atomic<bool> over = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!over) EXPECT_EQ(store->read({"agent", "a"}).value().bytes, "here");
    });
  }
  std::thread other([&] {
    for (int i = 100; i < 120; ++i) EXPECT_TRUE(store->create(segment(i), std::string(4 * kMebibyte, 'o')).ok());
  });
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(store->create(segment(i), std::string(4 * kMebibyte, 'x')).ok());
  other.join();
  over = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(store->list_all("segment").value().size(), 40U);
}

TEST_F(LmdbStore, RewritingUsesTheSamePagesAgain) {
  const auto store = open(16 * kMebibyte);
  Version version = store->create(segment(0), "").value();
  for (int i = 0; i < 40; ++i) version = store->replace(segment(0), version, std::string(kMebibyte, 'x')).value();
  EXPECT_EQ(store->read(segment(0)).value().version, version);
}

}  // namespace
}  // namespace reclaim::test
