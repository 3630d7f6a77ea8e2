// The operating system as the drivers meet it.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <fstream>
#include <set>
#include <thread>

#include "adapters/system/files.hpp"
#include "adapters/system/mounts.hpp"
#include "adapters/system/process.hpp"
#include "adapters/system/remove_tree.hpp"
#include "adapters/system/root_directory.hpp"
#include "support/machine.hpp"

namespace reclaim::system {
namespace {

using testing_support::in;
using testing_support::real_clock;

Result<Ended> shell(const std::string& script, Millis patience = Millis(30'000), std::size_t output_max = 1U << 20U) {
  return run_process({{"sh", "-c", script}, {}, output_max}, real_clock(), in(patience));
}

TEST(Process, GivesBackWhatTheProgramSaidAndHowItEnded) {
  const Ended ended = shell("echo out; echo err >&2; exit 7").value();
  EXPECT_EQ(ended.output, "out\n");
  EXPECT_EQ(ended.errors, "err\n");
  EXPECT_EQ(ended.exit_code, 7);
  EXPECT_EQ(shell("kill -TERM $$").value().exit_code, 128 + SIGTERM);
}

TEST(Process, ArgumentsAreNotReadByAShell) {
  EXPECT_EQ(run_process({{"echo", "$(id); *"}}, real_clock(), in(Millis(10'000))).value().output, "$(id); *\n");
}

TEST(Process, InheritsNothingButWhatItIsGiven) {
  const int leaked = open("/dev/null", O_RDONLY);  // not close-on-exec
  const int given = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const Program program{{"sh", "-c", "ls /proc/$$/fd; readlink /proc/$$/fd/0"}, {given}};
  const Ended ended = run_process(program, real_clock(), in(Millis(10'000))).value();
  EXPECT_EQ(ended.output, "0\n1\n2\n" + std::to_string(given) + "\n/dev/null\n");
  close(leaked);
  close(given);
}

TEST(Process, StartsWithOrdinarySignals) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const Ended ended = run_process({{"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"}}, real_clock(), in(Millis(10'000))).value();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(ended.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Process, ProgramThatIsNotThereIsSaidSo) {
  const auto ended = run_process({{"/nonexistent/program"}}, real_clock(), in(Millis(10'000)));
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().kind, Error::Kind::kNotFound) << ended.error().message;
}

TEST(Process, DeadlineKillsAndReapsTheWholeGroup) {
  const testing_support::TempDirectory directory;
  const std::string file = directory / "pid";
  const testing_support::ClockThatWaitsFor clock([&] { return testing_support::holds_text(file); });
  const auto ended = run_process({{"sh", "-c", "sleep 1000 & echo $! > " + file + "; wait"}}, clock, testing_support::kItsDeadline);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().kind, Error::Kind::kUnavailable);
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_FALSE(testing_support::is_alive(pid));
}

TEST(Process, WhatItLeavesInTheBackgroundIsDeadWhenItReturns) {
  const Ended ended = shell("sleep 1000 & echo $!").value();
  EXPECT_FALSE(testing_support::is_alive(std::stoi(ended.output)));
}

TEST(Process, ChildThatLeftTheGroupDoesNotHoldItUp) {
  const testing_support::TempDirectory directory;
  const std::string file = directory / "pid";
  const Ended ended = shell("setsid sh -c 'echo $$ > " + file + "; exec sleep 1000' & while [ ! -s " + file + " ]; do :; done").value();
  EXPECT_EQ(ended.exit_code, 0);
  pid_t escaped = 0;
  std::ifstream(file) >> escaped;
  ASSERT_GT(escaped, 0);
  kill(escaped, SIGKILL);
}

TEST(Process, OutputBeyondItsBoundEndsIt) {
  const auto ended = shell("yes", Millis(30'000), 100'000);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().kind, Error::Kind::kTooLarge);
}

TEST(Process, LargeOutputComesWhole) { EXPECT_EQ(shell("head -c 1000000 /dev/zero").value().output.size(), 1'000'000U); }

TEST(Files, WriteReplacesTheFileWholeAndSurvivesALeftover) {
  const testing_support::TempDirectory directory;
  const Fd fd = open_directory(directory.path()).value();
  testing_support::write_text(directory / ".marker.new", "half");
  EXPECT_TRUE(write_file_at(fd.get(), "marker", "one", 0600).ok());
  EXPECT_TRUE(write_file_at(fd.get(), "marker", "two", 0600).ok());
  EXPECT_EQ(read_file_at(fd.get(), "marker", 100).value(), "two");
  EXPECT_EQ(list_directory(fd.get()).value(), std::vector<std::string>{"marker"});
}

TEST(Files, NothingIsReachedThroughALink) {
  const testing_support::TempDirectory directory;
  const Fd fd = open_directory(directory.path()).value();
  std::filesystem::create_directory_symlink("/etc", directory / "dir-link");
  std::filesystem::create_symlink("/etc/passwd", directory / "file-link");
  EXPECT_EQ(open_directory_at(fd.get(), "dir-link").error().kind, Error::Kind::kConflict);
  EXPECT_EQ(read_file_at(fd.get(), "file-link", 1U << 20U).error().kind, Error::Kind::kConflict);
  EXPECT_FALSE(open_directory_at(fd.get(), "..").ok());
  EXPECT_FALSE(open_directory_at(fd.get(), "/etc").ok());
}

TEST(Files, ReadsNoMoreThanItMay) {
  const testing_support::TempDirectory directory;
  const Fd fd = open_directory(directory.path()).value();
  testing_support::write_text(directory / "large", std::string(1001, 'x'));
  EXPECT_EQ(read_file_at(fd.get(), "large", 1000).error().kind, Error::Kind::kTooLarge);
  EXPECT_EQ(read_file_at(fd.get(), "absent", 1000).error().kind, Error::Kind::kNotFound);
}

TEST(RemoveTree, SeveralMayRemoveOneTree) {
  const testing_support::TempDirectory directory;
  const Fd fd = open_directory(directory.path()).value();
  for (int i = 0; i < 50; ++i) {
    std::filesystem::create_directories(directory / ("t/d" + std::to_string(i) + "/e"));
    for (int j = 0; j < 20; ++j) testing_support::write_text(directory / ("t/d" + std::to_string(i) + "/e/f" + std::to_string(j)), "");
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const Status removed = remove_tree_at(fd.get(), "t", real_clock(), in(Millis(30'000)));
        EXPECT_TRUE(removed.ok()) << removed.error().message;
      });
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(RemoveTree, RemovesOneFileOrLinkOrSocket) {
  const testing_support::TempDirectory directory;
  const Fd fd = open_directory(directory.path()).value();
  testing_support::write_text(directory / "file", "");
  std::filesystem::create_directory_symlink("/etc", directory / "link");
  ASSERT_EQ(mkfifo((directory / "fifo").c_str(), 0600), 0);
  for (const char* name : {"file", "link", "fifo", "absent"}) {
    EXPECT_TRUE(remove_tree_at(fd.get(), name, real_clock(), in(Millis(30'000))).ok()) << name;
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(RootDirectory, OneHolderAtATimeAndAChildHoldsOn) {
  const testing_support::TempDirectory directory;
  RootDirectory second = RootDirectory::open(directory.path()).value();
  pid_t child = 0;
  {
    RootDirectory first = RootDirectory::open(directory.path()).value();
    EXPECT_TRUE(first.try_lock().value());
    EXPECT_FALSE(second.try_lock().value());
    // A child with the lock's descriptor, as a runtime's would be when this process dies.
    child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
  }
  EXPECT_FALSE(second.try_lock().value()) << "the child it left behind still holds it";
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(second.try_lock().value());
}

TEST(RootDirectory, KnowsWhenItsPathLeadsElsewhere) {
  const testing_support::TempDirectory directory;
  std::filesystem::create_directory(directory / "root");
  const RootDirectory root = RootDirectory::open(directory / "root").value();
  EXPECT_TRUE(root.still_at(directory / "root").ok());
  std::filesystem::rename(directory / "root", directory / "moved");
  EXPECT_EQ(root.still_at(directory / "root").error().kind, Error::Kind::kNotFound);
  std::filesystem::create_directory(directory / "root");
  EXPECT_EQ(root.still_at(directory / "root").error().kind, Error::Kind::kConflict);
  EXPECT_TRUE(root.still_at(directory / "moved").ok()) << "it is the same directory";
}
TEST(RootDirectory, MarkerIsKept) {
  const testing_support::TempDirectory directory;
  EXPECT_FALSE(RootDirectory::open(directory.path()).value().read_marker().value());
  EXPECT_TRUE(RootDirectory::open(directory.path()).value().write_marker("text").ok());
  EXPECT_EQ(RootDirectory::open(directory.path()).value().read_marker().value(), "text");
  std::filesystem::remove_all(directory / ".reclaim/marker");
  std::filesystem::create_directory(directory / ".reclaim/marker");
  EXPECT_FALSE(RootDirectory::open(directory.path()).value().read_marker().ok());
}

TEST(SystemRandom, DoesNotRepeat) {
  SystemRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random.next());
  EXPECT_EQ(seen.size(), 1'000U);
}

}  // namespace
}  // namespace reclaim::system
