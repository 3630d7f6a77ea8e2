// One LMDB store, several processes, some of them killed.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "adapters/objects_lmdb/lmdb_store.hpp"
#include "contract/store/child.hpp"
#include "contract/store/contention.hpp"
#include "contract/store/raw_lmdb.hpp"
#include "contract/store/stores.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {
namespace {

using objects_lmdb::open_lmdb;
using ports::ObjectName;
using ports::ObjectStore;
using ports::Version;
using testing_support::TempDirectory;

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
constexpr std::size_t kLockBytes = 4096;

// Without syncs: processes die here, not the machine.
class LmdbProcesses : public testing::Test {
 protected:
  std::unique_ptr<ObjectStore> open(std::size_t bytes_max = std::size_t{1} << 30U) const {
    return open_lmdb({.directory = directory, .bytes_max = bytes_max, .fsync = false}).value();
  }

  TempDirectory parent;
  std::string directory = parent / "objects";
};

TEST_F(LmdbProcesses, OpenANewStoreAtOnceAndLoseNoUpdate) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<Child>([&](Child& child) {
      child.await_go();
      const std::unique_ptr<ObjectStore> store = open();
      const Result<Version> created = store->create(kCounter, "0");
      return (created.ok() || created.error().kind == Error::Kind::kConflict) && count_up(*store, 100);
    }));
  }
  for (const auto& child : children) child->go();
  for (const auto& child : children) EXPECT_TRUE(child->succeeds());
  EXPECT_EQ(open()->read(kCounter).value().bytes, "400");
}

TEST_F(LmdbProcesses, OneThatIsKilledInAWriteStopsNobody) {
  open()->create(kCounter, "before").value();
  Child writer([&](Child& child) {
    RawLmdb raw(directory);
    MDB_txn* transaction = raw.begin(0);
    RawLmdb::put(transaction, kCounter.str(), "half of it");
    child.tell(1);
    Child::stay();
    return true;
  });
  EXPECT_EQ(writer.hear(), 1U);
  const std::unique_ptr<ObjectStore> store = open();
  EXPECT_EQ(store->read(kCounter).value().bytes, "before") << "readers do not wait";
  std::thread other([&] { EXPECT_TRUE(store->replace(kCounter, store->read(kCounter).value().version, "after").ok()); });
  writer.kill();
  other.join();
  EXPECT_EQ(store->read(kCounter).value().bytes, "after");
}

// LMDB draws slots of readers under a lock of all processes; it lies behind two numbers of 32 bits in the lock file. A cleaner that was
// suspended with it had a server answer nobody until it was woken.
TEST_F(LmdbProcesses, OneThatIsStoppedWhileItDrawsAReadersSlotStopsNobodyWhoHasRead) {
  const std::unique_ptr<ObjectStore> store = open();
  store->create(kCounter, "there").value();
  Child stopped([&](Child& child) {
    const int file = ::open((directory + "/lock.mdb").c_str(), O_RDWR | O_CLOEXEC);
    void* const shared = ::mmap(nullptr, kLockBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    auto* const drawing = reinterpret_cast<pthread_mutex_t*>(static_cast<char*>(shared) + 2 * sizeof(std::uint32_t));
    if (shared == MAP_FAILED || ::pthread_mutex_lock(drawing) != 0) return false;
    child.tell(1);
    Child::stay();
    return true;
  });
  EXPECT_EQ(stopped.hear(), 1U);
  std::future<Result<ports::Object>> read = std::async(std::launch::async, [&] { return store->read(kCounter); });
  EXPECT_EQ(read.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  stopped.kill();
  EXPECT_EQ(read.get().value().bytes, "there");
}

TEST_F(LmdbProcesses, WhatOneReadWhenItWasKilledIsUsedAgain) {
  Child reader([&](Child& child) {
    child.await_go();
    RawLmdb raw(directory);
    (void)raw.begin(MDB_RDONLY);
    child.tell(1);
    Child::stay();
    return true;
  });
  const std::unique_ptr<ObjectStore> store = open(8 * kMebibyte);
  const ObjectName name{"segment", "a"};
  Version version = store->create(name, std::string(kMebibyte, 'x')).value();
  reader.go();
  EXPECT_EQ(reader.hear(), 1U);
  reader.kill();
  for (int i = 0; i < 20; ++i) version = store->replace(name, version, std::string(kMebibyte, 'y')).value();
}

TEST_F(LmdbProcesses, OneThatReadsAThousandTimesAtOnceKeepsOutWhoComesLaterUntilItDies) {
  Child reader([&](Child& child) {
    child.await_go();
    RawLmdb raw(directory);
    std::uint64_t begun = 0;
    while (raw.try_to_begin(MDB_RDONLY) != nullptr) ++begun;
    child.tell(begun);
    Child::stay();
    return true;
  });
  Child late([&](Child& child) {
    child.await_go();
    return failure(open_lmdb({.directory = directory})) == Error::Kind::kUnavailable;
  });
  Child later([&](Child& child) {
    child.await_go();
    return open()->read(kCounter).value().bytes == "0";
  });
  const std::unique_ptr<ObjectStore> store = open();
  store->create(kCounter, "0").value();
  reader.go();
  EXPECT_EQ(reader.hear(), 1023U) << "who has read keeps a slot";
  EXPECT_EQ(store->read(kCounter).value().bytes, "0");
  late.go();
  EXPECT_TRUE(late.succeeds());
  reader.kill();
  later.go();
  EXPECT_TRUE(later.succeeds());
}

TEST_F(LmdbProcesses, AFullDiskIsSaidAndLeavesTheStoreAsItWas) {
  Child writer([&](Child&) {
    const std::unique_ptr<ObjectStore> store = open();
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit file_size{};
    check(::getrlimit(RLIMIT_FSIZE, &file_size) == 0, "getrlimit");
    file_size.rlim_cur = 4 * kMebibyte;
    check(::setrlimit(RLIMIT_FSIZE, &file_size) == 0, "setrlimit");
    const bool refused = failure(store->create({"segment", "a"}, std::string(8 * kMebibyte, 'x'))) == Error::Kind::kUnavailable;
    const bool small = store->create(kCounter, "0").ok();
    file_size.rlim_cur = file_size.rlim_max;
    check(::setrlimit(RLIMIT_FSIZE, &file_size) == 0, "setrlimit");
    return refused && small && store->create({"segment", "a"}, std::string(8 * kMebibyte, 'y')).ok();
  });
  EXPECT_TRUE(writer.succeeds());
  const std::unique_ptr<ObjectStore> store = open();
  EXPECT_EQ(store->read(kCounter).value().bytes, "0");
  EXPECT_EQ(store->read({"segment", "a"}).value().bytes, std::string(8 * kMebibyte, 'y'));
}

TEST_F(LmdbProcesses, GrowWithEachOther) {
  const ObjectName last{"segment", "last"};
  Child other([&](Child& child) {
    const std::unique_ptr<ObjectStore> store = open();
    child.tell(1);
    child.await_go();
    const Result<ports::Object> seen = store->read(last);
    return seen.ok() && seen.value().bytes == "last" && store->create({"segment", "mine"}, std::string(kMebibyte, 'x')).ok();
  });
  EXPECT_EQ(other.hear(), 1U);
  const std::unique_ptr<ObjectStore> store = open();
  for (int i = 0; i < 10; ++i) store->create({"segment", std::to_string(i)}, std::string(ports::kObjectBytesMax, 'x')).value();
  store->create(last, "last").value();
  other.go();
  EXPECT_TRUE(other.succeeds());
  EXPECT_EQ(store->list_all("segment").value().size(), 12U);
}

// Each life counts up and tells the version of every answer, until it is killed at some moment or other.
TEST_F(LmdbProcesses, WhatOneWasAnsweredBeforeItWasKilledIsThereAndNoVersionComesTwice) {
  open()->create(kCounter, "0").value();
  int answered = 0;
  std::uint64_t last = 0;
  for (int life = 0; life < 10; ++life) {
    Child child([&](Child& self) {
      const std::unique_ptr<ObjectStore> store = open();
      for (;;) {
        const ports::Object now = store->read(kCounter).value();
        self.tell(store->replace(kCounter, now.version, std::to_string(std::stoi(now.bytes) + 1)).value().number);
      }
      return true;
    });
    const auto hear_one = [&] {
      const std::uint64_t version = child.hear();
      if (version == 0) return false;
      EXPECT_GT(version, last);
      last = version;
      ++answered;
      return true;
    };
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(hear_one());
    child.kill();
    while (hear_one()) continue;
    const ports::Object left = open()->read(kCounter).value();
    EXPECT_GE(left.version.number, last);
    EXPECT_GE(std::stoi(left.bytes), answered);
    EXPECT_LE(std::stoi(left.bytes), answered + life + 1) << "one answer may be lost in each life";
  }
}

}  // namespace
}  // namespace reclaim::test
