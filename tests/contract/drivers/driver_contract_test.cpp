// What every driver promises (ports/resource_driver.hpp), on the real thing.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "contract/drivers/benches.hpp"

namespace reclaim {
namespace {

struct Make {
  const char* name;
  std::unique_ptr<DriverBench> (*make)();
};

class DriverContract : public testing::TestWithParam<Make> {
 protected:
  void SetUp() override {
    if (!testing_support::is_root()) GTEST_SKIP() << "needs root";
    bench = GetParam().make();
  }
  std::unique_ptr<DriverBench> bench;
};

TEST_P(DriverContract, ListsExactlyWhatIsThere) {
  EXPECT_EQ(bench->names(), "");
  bench->create("one");
  bench->create("two.2_x-Y");
  std::filesystem::create_directory(std::filesystem::path(bench->place()).parent_path() / ".reclaim");
  EXPECT_EQ(bench->names(), "one two.2_x-Y");
}

TEST_P(DriverContract, DestroysTheOneAndNothingElse) {
  bench->create("a");
  bench->create("a.0");
  bench->create("ab");
  EXPECT_TRUE(bench->destroy("a").ok());
  EXPECT_FALSE(bench->is_there("a"));
  EXPECT_EQ(bench->names(), "a.0 ab");
}

TEST_P(DriverContract, DestroyOfWhatIsGoneIsSuccess) {
  EXPECT_TRUE(bench->destroy("never").ok());
  bench->create("a");
  EXPECT_TRUE(bench->destroy("a").ok());
  EXPECT_TRUE(bench->destroy("a").ok());
}

TEST_P(DriverContract, HandleMayBeUsedAgain) {
  for (int i = 0; i < 3; ++i) {
    bench->create("a");
    ASSERT_TRUE(bench->destroy("a").ok()) << i;
    EXPECT_EQ(bench->names(), "");
  }
}

TEST_P(DriverContract, DestroysDifferentHandlesFromManyThreads) {
  for (int i = 0; i < 12; ++i) bench->create("r" + std::to_string(i));
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 11; ++i) {
      threads.emplace_back([&, i] {
        if (!bench->destroy("r" + std::to_string(i)).ok()) ++failures;
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(bench->names(), "r11");
}

TEST_P(DriverContract, OneHandleFromManyThreadsIsGoneInTheEnd) {
  bench->create("a");
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { (void)bench->destroy("a"); });
  }
  EXPECT_TRUE(bench->destroy("a").ok());
  EXPECT_EQ(bench->names(), "");
}

TEST_P(DriverContract, NamesThatAreNoHandlesAreListedAsTheyAre) {
  std::filesystem::create_directory(bench->place() + "/a b");
  std::filesystem::create_directory(bench->place() + "/-x");
  const std::string names = bench->names();
  EXPECT_NE(names.find("a b"), std::string::npos) << names;
  EXPECT_NE(names.find("-x"), std::string::npos) << names;
}

TEST_P(DriverContract, PastDeadlineIsAnErrorAndLeavesItListedOrGoneForGood) {
  bench->create("a");
  const Status destroyed = bench->destroy("a", Millis(0));
  EXPECT_TRUE(destroyed.ok() || destroyed.error().kind == Error::Kind::kUnavailable) << destroyed.error().message;
  EXPECT_TRUE(bench->destroy("a").ok());
  EXPECT_EQ(bench->names(), "");
}

template <class Bench>
std::unique_ptr<DriverBench> make() {
  return std::make_unique<Bench>();
}

INSTANTIATE_TEST_SUITE_P(Drivers, DriverContract,
                         testing::Values(Make{"runc", make<RuncBench>}, Make{"crun", make<CrunBench>}, Make{"dir", make<DirBench>},
                                         Make{"btrfs", make<BtrfsBench>}, Make{"overlay", make<OverlayBench>},
                                         Make{"exec", make<ExecBench>}),
                         [](const auto& maker) { return maker.param.name; });

// What every kind of volume root promises beyond that.
class VolumeContract : public DriverContract {
 protected:
  std::string dead() const { return std::filesystem::path(bench->place()).parent_path() / "dead"; }
  std::string volume(const std::string& handle) const { return bench->place() + "/" + handle; }
};

TEST_P(VolumeContract, LinkInLiveIsShownAndLeftAlone) {
  const testing_support::TempDirectory elsewhere;
  testing_support::write_text(elsewhere / "precious", "data");
  std::filesystem::create_directory_symlink(elsewhere.path(), volume("link"));
  testing_support::write_text(volume("file"), "data");
  EXPECT_EQ(bench->names(), "file! link!");
  const Status link = bench->destroy("link");
  ASSERT_FALSE(link.ok());
  EXPECT_NE(link.error().message.find("symbolic link"), std::string::npos) << link.error().message;
  EXPECT_FALSE(bench->destroy("file").ok());
  EXPECT_TRUE(std::filesystem::exists(elsewhere / "precious"));
  EXPECT_EQ(bench->names(), "file! link!");
}

TEST_P(VolumeContract, LinksInAVolumeAreNotFollowed) {
  const testing_support::TempDirectory elsewhere;
  testing_support::write_text(elsewhere / "precious", "data");
  bench->create("v");
  std::filesystem::create_directory_symlink(elsewhere.path(), volume("v") + "/out");
  std::filesystem::create_symlink(elsewhere / "precious", volume("v") + "/file-out");
  std::filesystem::create_symlink("/nonexistent", volume("v") + "/dangling");
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_TRUE(std::filesystem::exists(elsewhere / "precious"));
}

TEST_P(VolumeContract, MountInAVolumeIsNamedAndTheVolumeStays) {
  const testing_support::TempDirectory elsewhere;
  testing_support::write_text(elsewhere / "precious", "data");
  bench->create("v");
  std::filesystem::create_directories(volume("v") + "/x y/m");
  for (const bool is_bind : {false, true}) {
    const std::string at = volume("v") + "/x y/m";
    const auto mount = is_bind ? testing_support::Mount::bind(elsewhere.path(), at) : testing_support::Mount::tmpfs(at);
    const Status destroyed = bench->destroy("v");
    ASSERT_FALSE(destroyed.ok());
    EXPECT_NE(destroyed.error().message.find(at), std::string::npos) << destroyed.error().message;
    EXPECT_EQ(bench->names(), "v");
  }
  EXPECT_TRUE(std::filesystem::exists(elsewhere / "precious"));
  EXPECT_TRUE(bench->destroy("v").ok());
}

TEST_P(VolumeContract, WhatIsLeftInDeadIsRemovedByTheNextDestroyOfItsHandle) {
  std::filesystem::create_directories(dead() + "/v.7/deep");
  std::filesystem::create_directories(dead() + "/v.x/deep");
  std::filesystem::create_directories(dead() + "/v.1.7/deep");
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_FALSE(std::filesystem::exists(dead() + "/v.7"));
  EXPECT_TRUE(std::filesystem::exists(dead() + "/v.x"));
  EXPECT_TRUE(std::filesystem::exists(dead() + "/v.1.7")) << "that was the handle v.1";
}

TEST_P(VolumeContract, AVolumeIsListedUntilNothingIsLeftOfIt) {
  bench->create("whole");
  std::filesystem::create_directories(dead() + "/v.1.7/deep");
  std::filesystem::create_directories(dead() + "/whole.3/deep");
  std::filesystem::create_directories(dead() + "/not-ours");
  EXPECT_EQ(bench->names(), "v.1 whole");
  EXPECT_TRUE(bench->destroy("v.1").ok());
  EXPECT_EQ(bench->names(), "whole");
}

TEST_P(VolumeContract, DeadNamesOfAFormerProcessAreNotInTheWay) {
  bench->create("v");
  std::filesystem::create_directories(dead() + "/v.0/old");
  std::filesystem::create_directories(dead() + "/v.1/old");
  EXPECT_TRUE(bench->destroy("v").ok());
  EXPECT_TRUE(std::filesystem::is_empty(dead()));
}

INSTANTIATE_TEST_SUITE_P(Drivers, VolumeContract,
                         testing::Values(Make{"dir", make<DirBench>}, Make{"btrfs", make<BtrfsBench>}, Make{"overlay", make<OverlayBench>}),
                         [](const auto& maker) { return maker.param.name; });

}  // namespace
}  // namespace reclaim
