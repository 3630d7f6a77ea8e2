// What every disk buffer does, and what only a directory has to withstand.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <vector>

#include "contract/drive_io/benches.hpp"
#include "support/machine.hpp"

namespace reclaim {
namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;

template <class Bench>
class Buffer : public testing::Test {
 protected:
  ports::DiskBuffer& buffer() { return bench.buffer(); }
  Bench bench;
};
using Buffers = testing::Types<BufferDirBench, BufferMemoryBench>;
TYPED_TEST_SUITE(Buffer, Buffers);

TYPED_TEST(Buffer, HoldsWhatWasDelivered) {
  Files expected;
  for (const std::string& bytes : {std::string(), std::string("abc"), std::string(70'000, 'x')}) {
    for (const std::string directory : {"", "d/", "d/e/f/"}) {
      const std::string destination = directory + std::to_string(bytes.size());
      ASSERT_EQ(told(deliver(this->buffer(), delivery_of(destination, bytes), bytes)), "ok") << destination;
      expected[destination] = bytes;
    }
  }
  EXPECT_EQ(this->bench.files(), expected);
  EXPECT_EQ(this->bench.unfinished(), 0U);
}

TYPED_TEST(Buffer, NothingIsThereUntilItIsWhole) {
  const std::string bytes = "abcdef";
  {
    const auto file = this->buffer().begin(delivery_of("f", bytes), go_on);
    ASSERT_TRUE(file.value()->append("abc").ok());
    EXPECT_EQ(this->bench.files(), Files());
    EXPECT_EQ(this->bench.unfinished(), 1U);
    ASSERT_TRUE(file.value()->append("def").ok());
    ASSERT_TRUE(file.value()->finish(go_on).ok());
    EXPECT_EQ(this->bench.files(), Files({{"f", bytes}}));
  }
  EXPECT_EQ(this->bench.files(), Files({{"f", bytes}}));
  EXPECT_EQ(this->bench.unfinished(), 0U);
}

TYPED_TEST(Buffer, WhatIsNotFinishedLeavesNothing) {
  {
    const auto file = this->buffer().begin(delivery_of("d/f", "abc"), go_on);
    ASSERT_TRUE(file.value()->append("ab").ok());
  }
  EXPECT_EQ(this->bench.files(), Files());
  EXPECT_EQ(this->bench.unfinished(), 0U);
}

TYPED_TEST(Buffer, BytesOtherThanPromisedAreCorrupt) {
  for (const std::string bytes : {"abcdeg", "abcde", "abcdefg", "", "bacdef"}) {
    EXPECT_EQ(told(deliver(this->buffer(), delivery_of("f", "abcdef"), bytes)), "corrupt") << bytes;
    EXPECT_EQ(this->bench.files(), Files());
    EXPECT_EQ(this->bench.unfinished(), 0U);
  }
  const auto file = this->buffer().begin(delivery_of("f", "abc"), go_on);
  ASSERT_TRUE(file.value()->append("abc").ok());
  EXPECT_EQ(told(file.value()->append("d")), "corrupt") << "before it has filled the disk";
}

TYPED_TEST(Buffer, TheSameFileAlreadyThereCountsAsDelivered) {
  this->bench.put("d/f", "abc");
  const auto begun = this->buffer().begin(delivery_of("d/f", "abc"), go_on);
  ASSERT_TRUE(begun.ok());
  EXPECT_EQ(begun.value(), nullptr) << "nothing has to be read from tape";
  EXPECT_EQ(this->bench.files(), Files({{"d/f", "abc"}}));
}

TYPED_TEST(Buffer, AnotherFileAlreadyThereIsLeftAsItIs) {
  for (const std::string there : {"abd", "ab", "abcd", ""}) {
    this->bench.put("f", there);
    EXPECT_EQ(told(this->buffer().begin(delivery_of("f", "abc"), go_on)), "conflict") << there;
    EXPECT_EQ(this->bench.files(), Files({{"f", there}}));
  }
}

TYPED_TEST(Buffer, AFileThatComesWhileOneIsReadIsComparedAndNeverReplaced) {
  for (const auto& [there, expected] : std::vector<std::pair<std::string, std::string>>{{"abc", "ok"}, {"abd", "conflict"}}) {
    const std::string name = "f-" + there;
    const auto file = this->buffer().begin(delivery_of(name, "abc"), go_on);
    ASSERT_TRUE(file.value()->append("abc").ok());
    this->bench.put(name, there);
    EXPECT_EQ(told(file.value()->finish(go_on)), expected);
    EXPECT_EQ(this->bench.files()[name], there);
  }
  EXPECT_EQ(this->bench.unfinished(), 0U);
}

TYPED_TEST(Buffer, AFileOrDirectoryInTheWayIsAConflict) {
  this->bench.put("a", "file");
  this->bench.put("d/e/f", "file");
  this->bench.put("d/e-f", "file");
  EXPECT_EQ(told(deliver(this->buffer(), delivery_of("a/b", "abc"), "abc")), "conflict");
  EXPECT_EQ(told(deliver(this->buffer(), delivery_of("d/e", "abc"), "abc")), "conflict");
  EXPECT_EQ(this->bench.unfinished(), 0U);
}

TYPED_TEST(Buffer, DestinationsCannotLeaveIt) {
  for (const std::string& destination :
       {std::string(), std::string("/f"), std::string("f/"), std::string("a//b"), std::string(".."), std::string("../f"),
        std::string("a/../f"), std::string("."), std::string("./f"), std::string(".drives/f"), std::string("a/.f"), std::string("a\0b", 3),
        std::string(256, 'x'), std::string(2049, 'x') + "/" + std::string(2049, 'x')}) {
    const auto begun = this->buffer().begin(delivery_of(destination, "abc"), go_on);
    ASSERT_EQ(told(begun), "invalid") << destination;
    EXPECT_EQ(begun.error().field, "destination");
  }
  EXPECT_EQ(this->bench.files(), Files());
}

TYPED_TEST(Buffer, NamesOfItsOwnFilesCannotLeaveItEither) {
  const auto refused = [&](void (*spoil)(ports::Delivery&)) {
    ports::Delivery delivery = delivery_of("f", "abc");
    spoil(delivery);
    const auto begun = this->buffer().begin(delivery, go_on);
    return begun.ok() ? std::string("ok") : begun.error().field;
  };
  EXPECT_EQ(refused([](ports::Delivery& d) { d.writer = "../D1"; }), "writer");
  EXPECT_EQ(refused([](ports::Delivery& d) { d.request = "a/b"; }), "request");
  EXPECT_EQ(refused([](ports::Delivery& d) { d.request = std::string(65, 'x'); }), "request");
  EXPECT_EQ(refused([](ports::Delivery& d) { d.checksum = "sha256:00"; }), "checksum");
  EXPECT_EQ(refused([](ports::Delivery& d) { d.checksum = ""; }), "checksum");
}

TYPED_TEST(Buffer, SweepRemovesWhatFormerEpochsOfTheDriveLeft) {
  const auto former = this->buffer().begin(delivery_of("a", "abc", 6), go_on);
  const auto present = this->buffer().begin(delivery_of("b", "abc", 7), go_on);
  ports::Delivery delivery = delivery_of("c", "abc", 3);
  delivery.writer = "D2";
  const auto another = this->buffer().begin(delivery, go_on);
  delivery.writer = "D11";
  const auto similar = this->buffer().begin(delivery, go_on);
  ASSERT_EQ(this->bench.unfinished(), 4U);
  ASSERT_TRUE(this->buffer().sweep("D1", 7).ok());
  EXPECT_EQ(this->bench.unfinished(), 3U);
}

TYPED_TEST(Buffer, OfTwoEpochsTheFormerWakesAndIsFencedAndTheLaterDelivers) {
  const auto former = this->buffer().begin(delivery_of("f", "abc", 6), go_on);
  ASSERT_TRUE(former.value()->append("ab").ok());
  ASSERT_TRUE(this->buffer().sweep("D1", 7).ok());
  const auto present = this->buffer().begin(delivery_of("f", "abc", 7), go_on);
  ASSERT_TRUE(present.value()->append("abc").ok());
  ASSERT_TRUE(former.value()->append("c").ok());
  const Status late = former.value()->finish(go_on);
  ASSERT_EQ(told(late), "fenced");
  EXPECT_EQ(late.error().field, "epoch");
  ASSERT_TRUE(present.value()->finish(go_on).ok());
  EXPECT_EQ(this->bench.files(), Files({{"f", "abc"}}));
}

TYPED_TEST(Buffer, OfTwoEpochsThatFinishTheSameBothHaveDelivered) {
  const auto former = this->buffer().begin(delivery_of("f", "abc", 6), go_on);
  const auto present = this->buffer().begin(delivery_of("f", "abc", 7), go_on);
  ASSERT_TRUE(former.value()->append("abc").ok());
  ASSERT_TRUE(present.value()->append("abc").ok());
  EXPECT_TRUE(former.value()->finish(go_on).ok());
  EXPECT_TRUE(present.value()->finish(go_on).ok());
  EXPECT_EQ(this->bench.files(), Files({{"f", "abc"}}));
}

TYPED_TEST(Buffer, ATickThatFailsEndsIt) {
  const auto stop = [] { return Status(fenced("collected", "epoch")); };
  this->bench.put("there", "abc");
  EXPECT_EQ(told(this->buffer().begin(delivery_of("there", "abc"), stop)), "fenced");
  const auto file = this->buffer().begin(delivery_of("f", "abc"), go_on);
  ASSERT_TRUE(file.value()->append("abc").ok());
  EXPECT_EQ(told(file.value()->finish(stop)), "fenced");
  EXPECT_EQ(this->bench.files(), Files({{"there", "abc"}}));
}

TYPED_TEST(Buffer, WhatIsLargerThanAllOfItIsRefusedForThatAlone) {
  ports::Delivery delivery = delivery_of("f", "abc");
  delivery.size = std::uint64_t{1} << 60U;
  const auto begun = this->buffer().begin(delivery, go_on);
  ASSERT_EQ(told(begun), "invalid");
  EXPECT_EQ(begun.error().field, "size");
}

class BufferDirTest : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return bench.root() / name; }
  Status deliver_to(const std::string& destination) { return deliver(bench.buffer(), delivery_of(destination, "abc"), "abc"); }
  BufferDirBench bench;
  testing_support::TempDirectory elsewhere;
};

TEST_F(BufferDirTest, LinksAreFollowedNowhere) {
  fs::create_directory_symlink(elsewhere.path(), at("d"));
  fs::create_symlink(elsewhere / "nothing", at("dangling"));
  put_file(elsewhere / "same", "abc");
  fs::create_symlink(elsewhere / "same", at("same"));
  EXPECT_EQ(told(deliver_to("d/f")), "conflict");
  EXPECT_EQ(told(deliver_to("d/e/f")), "conflict");
  EXPECT_EQ(told(deliver_to("dangling")), "conflict");
  EXPECT_EQ(told(deliver_to("same")), "conflict") << "what a link points at is not in the buffer";
  EXPECT_EQ(std::distance(fs::directory_iterator(elsewhere.path()), fs::directory_iterator()), 1);
}

TEST_F(BufferDirTest, LinksPlantedWhileOneIsReadAreNotFollowedEither) {
  const auto file = bench.buffer().begin(delivery_of("d/f", "abc"), go_on);
  ASSERT_TRUE(file.value()->append("abc").ok());
  fs::create_directory_symlink(elsewhere.path(), at("d"));
  EXPECT_EQ(told(file.value()->finish(go_on)), "conflict");
  EXPECT_TRUE(fs::is_empty(elsewhere.path()));
}

TEST_F(BufferDirTest, WhatIsNoFileIsNotReplacedNorReadFrom) {
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_EQ(told(deliver_to("fifo")), "conflict") << "and nobody waits for its writer";
}

TEST_F(BufferDirTest, DrivesThatIsALinkIsRefused) {
  const testing_support::TempDirectory other;
  fs::create_directory_symlink(elsewhere.path(), other / ".drives");
  EXPECT_EQ(told(buffer_dir::BufferDir::open(other.path())), "conflict");
  EXPECT_EQ(told(buffer_dir::BufferDir::open(other / "nothing")), "not found");
}

TEST_F(BufferDirTest, WhatIsOnItsWayIsSeenByNobodyElse) {
  const auto file = bench.buffer().begin(delivery_of("f", "abc"), go_on);
  struct stat found {};
  ASSERT_EQ(stat(at(".drives").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0700U);
  EXPECT_TRUE(fs::exists(at(".drives/D1@7@3-1-2"))) << "named after drive, epoch and request";
}

TEST_F(BufferDirTest, NamesThatNoDriveMadeAreNotSwept) {
  for (const char* name : {"D1@", "D1@6", "D1@x@r", "D1@-1@r", "D1", "D1@ 6@r"}) put_file(at(".drives") / name, "x");
  ASSERT_TRUE(bench.buffer().sweep("D1", 7).ok());
  EXPECT_EQ(bench.unfinished(), 6U);
}

class BufferMountTest : public BufferDirTest {
 protected:
  void SetUp() override {
    if (!testing_support::is_root()) GTEST_SKIP() << "needs root";
  }
};

TEST_F(BufferMountTest, AFullBufferIsToldFromALargeRequest) {
  const auto mount = testing_support::Mount::tmpfs(elsewhere.path());
  BufferDirBench small(elsewhere.path());
  const std::string half(std::size_t{600} << 10U, 'x');
  ASSERT_EQ(told(deliver(small.buffer(), delivery_of("first", half), half)), "ok");
  EXPECT_EQ(told(small.buffer().begin(delivery_of("second", half), go_on)), "too large") << "nothing has to be read from tape";
  const std::string twice(std::size_t{2} << 20U, 'x');
  EXPECT_EQ(told(small.buffer().begin(delivery_of("third", twice), go_on)), "invalid");
  fs::remove(elsewhere / "first");
  EXPECT_EQ(told(deliver(small.buffer(), delivery_of("second", half), half)), "ok");
}

TEST_F(BufferMountTest, ABufferThatFillsWhileOneIsReadIsFullAndKeepsNothing) {
  const auto mount = testing_support::Mount::tmpfs(elsewhere.path());
  BufferDirBench small(elsewhere.path());
  const std::string half(std::size_t{600} << 10U, 'x');
  {
    const auto file = small.buffer().begin(delivery_of("f", half), go_on);
    small.put("somebody-elses", half);
    EXPECT_EQ(told(file.value()->append(half)), "too large");
  }
  EXPECT_EQ(small.unfinished(), 0U);
  EXPECT_EQ(small.files().size(), 1U);
}

TEST_F(BufferMountTest, MountsInTheBufferAreNotEntered) {
  fs::create_directory(at("m"));
  const auto mount = testing_support::Mount::tmpfs(at("m"));
  EXPECT_EQ(told(deliver_to("m/f")), "conflict");
  EXPECT_EQ(told(deliver_to("m")), "conflict");
  EXPECT_TRUE(fs::is_empty(at("m")));
}

// On a filesystem that knows the flag: the temporary directory may be on one that does not.
TEST_F(BufferMountTest, AnImmutableDirectoryIsOneRequestsTroubleOnly) {
  const testing_support::TempDirectory flagged;
  BufferDirBench other(flagged.path());
  fs::create_directory(flagged / "d");
  const auto set =
      system::run_process({{"chattr", "+i", flagged / "d"}}, testing_support::real_clock(), testing_support::in(Millis(10'000)));
  if (set.value().exit_code != 0) GTEST_SKIP() << set.value().errors;
  const Status refused = deliver(other.buffer(), delivery_of("d/f", "abc"), "abc");
  const Status below = deliver(other.buffer(), delivery_of("d/e/f", "abc"), "abc");
  testing_support::must_run({"chattr", "-i", flagged / "d"});
  EXPECT_EQ(told(refused), "forbidden");
  EXPECT_EQ(told(below), "forbidden");
  EXPECT_EQ(other.unfinished(), 0U);
}

TEST_F(BufferMountTest, AnImmutableDrivesIsTheBuffersTrouble) {
  const testing_support::TempDirectory flagged;
  BufferDirBench other(flagged.path());
  const auto set =
      system::run_process({{"chattr", "+i", flagged / ".drives"}}, testing_support::real_clock(), testing_support::in(Millis(10'000)));
  if (set.value().exit_code != 0) GTEST_SKIP() << set.value().errors;
  const auto begun = other.buffer().begin(delivery_of("f", "abc"), go_on);
  testing_support::must_run({"chattr", "-i", flagged / ".drives"});
  EXPECT_EQ(told(begun), "unavailable");
}

TEST_F(BufferMountTest, AReadOnlyBufferIsTheBuffersTrouble) {
  const auto mount = testing_support::Mount::tmpfs(elsewhere.path());
  BufferDirBench other(elsewhere.path());
  ASSERT_EQ(::mount(nullptr, elsewhere.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  EXPECT_EQ(told(other.buffer().begin(delivery_of("f", "abc"), go_on)), "unavailable");
}

}  // namespace
}  // namespace reclaim
