// What only container runtimes do.
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "adapters/runtime_oci/oci_containers.hpp"
#include "support/machine.hpp"

namespace reclaim::runtime_oci {
namespace {

using testing_support::in;
using testing_support::must_run;
using testing_support::real_clock;

class Runc : public testing::Test {
 protected:
  void SetUp() override {
    if (!testing_support::is_root()) GTEST_SKIP() << "needs root";
    machine.emplace(directory.path());
    driver.emplace(OciContainers::open({.root = machine->root()}, real_clock()).value());
  }
  // A runtime that does what the script says.
  OciContainers scripted(const std::string& script, const Clock& clock = real_clock()) {
    testing_support::write_text(directory / "runtime", "#!/bin/sh\n" + script + "\n");
    must_run({"chmod", "755", directory / "runtime"});
    return OciContainers::open({.program = directory / "runtime", .root = machine->root()}, clock).value();
  }
  testing_support::TempDirectory directory;
  std::optional<testing_support::RuncMachine> machine;
  std::optional<OciContainers> driver;
};

TEST_F(Runc, PausedContainerGoes) {
  machine->run("c");
  must_run({"runc", "--root", machine->root(), "pause", "c"});
  EXPECT_TRUE(driver->destroy(Handle("c"), in(Millis(30'000))).ok());
  EXPECT_FALSE(machine->has("c"));
}

TEST_F(Runc, ContainerThatWasNeverStartedGoes) {
  machine->create("c");
  EXPECT_TRUE(driver->destroy(Handle("c"), in(Millis(30'000))).ok());
  EXPECT_FALSE(machine->has("c"));
}

TEST_F(Runc, ContainerWhoseInitDiedGoes) {
  machine->run("c");
  const pid_t init = machine->init_of("c");
  kill(init, SIGKILL);
  EXPECT_TRUE(driver->destroy(Handle("c"), in(Millis(30'000))).ok());
  EXPECT_FALSE(machine->has("c"));
}

TEST_F(Runc, UnreadableContainerIsListedAndItsErrorIsClear) {
  machine->run("whole");
  machine->run("broken");
  const std::string state = machine->root() + "/broken/state.json";
  std::filesystem::copy_file(state, directory / "state.json");
  std::filesystem::resize_file(state, 100);
  std::string text;
  for (const ports::Listed& listed : driver->list().value()) text += listed.name + (listed.error.empty() ? " " : "! ");
  EXPECT_EQ(text, "whole broken! ");
  const Status destroyed = driver->destroy(Handle("broken"), in(Millis(30'000)));
  ASSERT_FALSE(destroyed.ok());
  EXPECT_NE(destroyed.error().message.find("unexpected"), std::string::npos) << destroyed.error().message;
  std::filesystem::copy_file(directory / "state.json", state, std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(driver->destroy(Handle("broken"), in(Millis(30'000))).ok());
}

TEST_F(Runc, ListThatFailsIsAnErrorNotAnEmptyList) {
  machine->run("c");
  for (const char* script : {"exit 1", "echo '['", "echo '[{\"no\":1}]'", "echo '{}'"}) {
    EXPECT_FALSE(scripted(script).list().ok()) << script;
  }
}

TEST_F(Runc, ListThatFailsInPassingIsAskedAgain) {
  machine->run("c");
  const std::string once = "[ -e " + (directory / "failed") + " ] && exec runc \"$@\"; touch " + (directory / "failed") + "; exit 1";
  const auto listed = scripted(once).list();
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  EXPECT_EQ(listed.value().size(), 1U);
}

// runc's own list fails when a container goes while it runs.
TEST_F(Runc, ListIsWholeWhileContainersGo) {
  machine->run("stays");
  for (int i = 0; i < 8; ++i) machine->run("goes-" + std::to_string(i));
  std::jthread destroyer([&] {
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(driver->destroy(Handle("goes-" + std::to_string(i)), in(Millis(30'000))).ok());
  });
  for (std::size_t left = 9; left > 1;) {
    const auto listed = driver->list();
    ASSERT_TRUE(listed.ok()) << listed.error().message;
    EXPECT_NE(std::ranges::find(listed.value(), "stays", &ports::Listed::name), listed.value().end());
    left = listed.value().size();
  }
}

TEST_F(Runc, HangingRuntimeIsKilledWithAllItsChildrenAtTheDeadline) {
  std::filesystem::create_directory(machine->root() + "/c");
  const std::string last = directory / "self";
  const testing_support::ClockThatWaitsFor clock([&] { return testing_support::holds_text(last); });
  OciContainers hanging = scripted("sleep 1000 & echo $! > " + (directory / "child") + "; echo $$ > " + last + "; wait", clock);
  const Status destroyed = hanging.destroy(Handle("c"), testing_support::kItsDeadline);
  ASSERT_FALSE(destroyed.ok());
  EXPECT_EQ(destroyed.error().kind, Error::Kind::kUnavailable);
  for (const char* name : {"child", "self"}) {
    pid_t pid = 0;
    std::ifstream(directory / name) >> pid;
    ASSERT_GT(pid, 0) << name;
    EXPECT_FALSE(testing_support::is_alive(pid)) << name << " is dead and reaped";
  }
}

TEST_F(Runc, ContainerThatDoesNotStopIsAnErrorAtTheDeadline) {
  std::filesystem::create_directory(machine->root() + "/c");
  OciContainers stubborn = scripted("[ \"$3\" = state ] && echo '{\"status\":\"running\"}'; exit 0");
  const Status destroyed = stubborn.destroy(Handle("c"), in(Millis(300)));
  ASSERT_FALSE(destroyed.ok());
  EXPECT_NE(destroyed.error().message.find("before its deadline"), std::string::npos) << destroyed.error().message;
}

TEST_F(Runc, MissingRuntimeIsNamed) {
  OciContainers missing = OciContainers::open({.program = "/nonexistent/runc", .root = machine->root()}, real_clock()).value();
  const auto listed = missing.list();
  ASSERT_FALSE(listed.ok());
  EXPECT_NE(listed.error().message.find("/nonexistent/runc"), std::string::npos) << listed.error().message;
}

}  // namespace
}  // namespace reclaim::runtime_oci
