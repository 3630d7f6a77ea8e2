// What only one kind of volume does: immutable files and deep trees under dir, snapshots and nested subvolumes under btrfs,
// mounts under overlay.
#include <gtest/gtest.h>

#include <fcntl.h>

#include "contract/drivers/benches.hpp"

namespace reclaim {
namespace {

using testing_support::in;
using testing_support::must_run;
using testing_support::real_clock;

class Volumes : public testing::Test {
 protected:
  void SetUp() override {
    if (!testing_support::is_root()) GTEST_SKIP() << "needs root";
  }
};

class DirVolumesTest : public Volumes {
 protected:
  DirBench bench;
  std::string root() const { return std::filesystem::path(bench.place()).parent_path(); }
};

class BtrfsVolumesTest : public Volumes {
 protected:
  void SetUp() override {
    Volumes::SetUp();
    if (testing_support::is_root()) bench.emplace();
  }
  std::string at(const std::string& path) const { return bench->place() + "/" + path; }
  static void subvolume(const std::string& path) { must_run({"btrfs", "-q", "subvolume", "create", path}); }
  std::string subvolumes_left() const { return must_run({"btrfs", "subvolume", "list", "-o", bench->place()}); }
  std::optional<BtrfsBench> bench;
};

TEST_F(DirVolumesTest, ImmutableFileIsNamedAndSweptOnceItMayGo) {
  bench.create("v");
  // On a file system that knows the flag: the temporary directory may be one that does not.
  auto flagged = system::run_process({{"chattr", "+i", bench.place() + "/v/a/b/file"}}, real_clock(), in(Millis(10'000)));
  if (flagged.value().exit_code != 0) GTEST_SKIP() << flagged.value().errors;
  const Status destroyed = bench.destroy("v");
  must_run({"sh", "-c", "chattr -i \"$1\"/dead/*/a/b/file", "sh", root()});
  ASSERT_FALSE(destroyed.ok());
  EXPECT_NE(destroyed.error().message.find("a/b/file: Operation not permitted (is it immutable?"), std::string::npos)
      << destroyed.error().message;
  EXPECT_FALSE(std::filesystem::is_empty(root() + "/dead"));
  auto reopened = volumes_dir::DirVolumes::open(root(), real_clock()).value();
  EXPECT_TRUE(reopened.sweep(in(Millis(30'000))).ok());
  EXPECT_TRUE(std::filesystem::is_empty(root() + "/dead"));
}

TEST_F(DirVolumesTest, SweepGoesOnPastWhatItCannotRemove) {
  std::filesystem::create_directories(root() + "/dead/a.1/m");
  std::filesystem::create_directories(root() + "/dead/b.1/x");
  std::filesystem::create_directories(root() + "/dead/c.1/x");
  const auto mount = testing_support::Mount::tmpfs(root() + "/dead/a.1/m");
  auto reopened = volumes_dir::DirVolumes::open(root(), real_clock()).value();
  const Status swept = reopened.sweep(in(Millis(30'000)));
  ASSERT_FALSE(swept.ok());
  EXPECT_NE(swept.error().message.find("a.1/m"), std::string::npos) << swept.error().message;
  EXPECT_FALSE(std::filesystem::exists(root() + "/dead/b.1"));
  EXPECT_FALSE(std::filesystem::exists(root() + "/dead/c.1"));
}

TEST_F(DirVolumesTest, TreeDeeperThanDescriptorsAndPathsGoes) {
  bench.create("v");
  int here = open((bench.place() + "/v").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int depth = 0; depth < 3'000; ++depth) {
    ASSERT_EQ(mkdirat(here, "deeper", 0700), 0);
    const int below = openat(here, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(here);
    here = below;
  }
  close(here);
  EXPECT_TRUE(bench.destroy("v").ok());
  EXPECT_TRUE(std::filesystem::is_empty(root() + "/dead"));
}

TEST_F(DirVolumesTest, WideTreeGoesInOneWalk) {
  for (int i = 0; i < 200; ++i) {
    std::filesystem::create_directories(bench.place() + "/v/d" + std::to_string(i));
    for (int j = 0; j < 20; ++j) testing_support::write_text(bench.place() + "/v/d" + std::to_string(i) + "/f" + std::to_string(j), "");
  }
  EXPECT_TRUE(bench.destroy("v").ok());
  EXPECT_TRUE(std::filesystem::is_empty(root() + "/dead"));
}

TEST_F(DirVolumesTest, LiveThatIsALinkIsRefused) {
  const testing_support::TempDirectory other;
  std::filesystem::create_directory_symlink("/tmp", other / "live");
  const auto opened = volumes_dir::DirVolumes::open(other.path(), real_clock());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, Error::Kind::kConflict) << opened.error().message;
}

TEST_F(BtrfsVolumesTest, SnapshotOutlivesItsOriginAndTheOtherWayRound) {
  bench->create("origin");
  must_run({"btrfs", "-q", "subvolume", "snapshot", at("origin"), at("copy")});
  must_run({"btrfs", "-q", "subvolume", "snapshot", "-r", at("origin"), at("frozen")});
  EXPECT_TRUE(bench->destroy("origin").ok());
  EXPECT_TRUE(std::filesystem::exists(at("copy/file")));
  EXPECT_TRUE(bench->destroy("frozen").ok()) << "a read-only snapshot";
  EXPECT_TRUE(bench->destroy("copy").ok());
  EXPECT_EQ(subvolumes_left(), "");
}

TEST_F(BtrfsVolumesTest, NestedSubvolumesGoLeafFirst) {
  bench->create("v");
  std::filesystem::create_directories(at("v/plain/deep"));
  subvolume(at("v/plain/deep/n1"));
  subvolume(at("v/plain/deep/n1/n2"));
  subvolume(at("v/n3"));
  std::filesystem::create_directory(at("v/n3/plain"));
  subvolume(at("v/n3/plain/n4"));
  must_run({"btrfs", "property", "set", at("v/n3"), "ro", "true"});
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_EQ(must_run({"btrfs", "subvolume", "list", bench->place()}), "");
}

TEST_F(BtrfsVolumesTest, PlainDirectoryIsAVolumeToo) {
  std::filesystem::create_directories(at("plain/a/b"));
  subvolume(at("plain/a/nested"));
  EXPECT_EQ(bench->names(), "plain");
  EXPECT_TRUE(bench->destroy("plain").ok());
  EXPECT_EQ(must_run({"btrfs", "subvolume", "list", bench->place()}), "");
}

TEST_F(BtrfsVolumesTest, OtherFileSystemIsRefused) {
  const testing_support::TempDirectory other;
  EXPECT_FALSE(volumes_btrfs::BtrfsVolumes::open("/proc", real_clock()).ok());
}

class OverlayVolumesTest : public Volumes {
 protected:
  void SetUp() override {
    Volumes::SetUp();
    if (!IsSkipped()) bench = std::make_unique<OverlayBench>();
  }
  // That a destroy of `v` is refused with these words, and changes nothing.
  void refuses_with(const std::string& words) {
    const Status destroyed = bench->destroy("v");
    ASSERT_FALSE(destroyed.ok());
    EXPECT_EQ(destroyed.error().kind, Error::Kind::kConflict);
    EXPECT_NE(destroyed.error().message.find(words), std::string::npos) << destroyed.error().message;
    EXPECT_TRUE(std::filesystem::exists(at("v/merged/above"))) << "still mounted";
    EXPECT_EQ(bench->names(), "v");
  }
  std::string at(const std::string& path) const { return bench->place() + "/" + path; }
  std::string dead() const { return std::filesystem::path(bench->place()).parent_path() / "dead"; }
  std::size_t mounts() const { return system::mounts_below(std::filesystem::path(bench->place()).parent_path()).value().size(); }
  std::unique_ptr<OverlayBench> bench;
};

TEST_F(OverlayVolumesTest, MountedSeveralTimesOverIsUnmountedAsOften) {
  bench->create("v");
  for (int i = 0; i < 3; ++i) bench->mount("v");
  EXPECT_EQ(mounts(), 4U);
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_EQ(mounts(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(dead()));
}

TEST_F(OverlayVolumesTest, WhatIsBelowStays) {
  bench->create("v");
  bench->create("w");
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_TRUE(std::filesystem::exists(at("../lower/below")));
  EXPECT_TRUE(std::filesystem::exists(at("../lower/removed"))) << "the whiteout went, not what it hid";
  EXPECT_TRUE(std::filesystem::exists(at("w/merged/below")));
}

TEST_F(OverlayVolumesTest, InUseIsSaidAndTriedAgain) {
  bench->create("v");
  const int user = open(at("v/merged/above").c_str(), O_RDONLY | O_CLOEXEC);
  refuses_with("is in use");
  close(user);
  EXPECT_TRUE(bench->destroy("v").ok());
}

TEST_F(OverlayVolumesTest, MountedElsewhereTooIsLeftAlone) {
  bench->create("v");
  const auto bind = testing_support::Mount::bind(at("v/merged"), bench->elsewhere("bind"));
  refuses_with(bench->elsewhere("bind"));
}

TEST_F(OverlayVolumesTest, LayerOfAnotherMountIsLeftAloneAlsoWhenUnmounted) {
  bench->create("v");
  bench->mount("v", bench->elsewhere("second"));
  refuses_with(bench->elsewhere("second"));
  umount2(bench->elsewhere("second").c_str(), 0);
  umount2(at("v/merged").c_str(), 0);
  const std::string third = bench->elsewhere("third");
  must_run({"mount", "-t", "overlay", "overlay", "-o", "lowerdir=" + at("v/upper") + ":" + at("../lower"), third});
  EXPECT_FALSE(bench->destroy("v").ok()) << "a lower layer of a mounted overlay";
  EXPECT_TRUE(std::filesystem::exists(third + "/above"));
  umount2(third.c_str(), 0);
  EXPECT_TRUE(bench->destroy("v").ok());
}

TEST_F(OverlayVolumesTest, OtherMountOnMergedIsLeftAlone) {
  bench->create("v");
  {
    const auto mount = testing_support::Mount::tmpfs(at("v/merged"));
    testing_support::write_text(at("v/merged/above"), "of the tmpfs");
    refuses_with("is a mount of tmpfs");
  }
  EXPECT_TRUE(bench->destroy("v").ok());
}

TEST_F(OverlayVolumesTest, UnmountedOrHalfMadeIsAVolumeToo) {
  bench->create("v");
  umount2(at("v/merged").c_str(), 0);
  std::filesystem::create_directories(at("half/upper"));
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_TRUE(bench->destroy("half").ok());
  EXPECT_EQ(bench->names(), "");
}

TEST_F(OverlayVolumesTest, MergedThatIsALinkIsNotFollowed) {
  bench->create("other");
  std::filesystem::create_directories(at("v"));
  std::filesystem::create_directory_symlink(at("other/merged"), at("v/merged"));
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_TRUE(std::filesystem::exists(at("other/merged/above")));
}

TEST_F(OverlayVolumesTest, MountThatCameBetweenUnmountingAndTheRenameGoesInDead) {
  bench->create("v");
  std::filesystem::rename(at("v"), dead() + "/v.7");
  EXPECT_EQ(bench->names(), "v");
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_EQ(mounts(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(dead()));
}

}  // namespace
}  // namespace reclaim
