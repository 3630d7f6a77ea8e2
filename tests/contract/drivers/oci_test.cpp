// What only container runtimes do, and what they leave when their own state is damaged.
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "adapters/runtime_oci/oci_containers.hpp"
#include "adapters/system/cgroups.hpp"
#include "support/machine.hpp"

namespace reclaim::runtime_oci {
namespace {

using testing_support::in;
using testing_support::is_alive;
using testing_support::must_run;
using testing_support::real_clock;

class Runtime : public testing::Test {
 protected:
  void set_up(const std::string& program) {
    machine.emplace(directory.path(), program);
    is_crun = program == "crun";
    driver.emplace(open_driver());
  }
  OciContainers open_driver() {
    return OciContainers::open(
               {.program = machine->program(), .root = machine->root(), .dialect = is_crun ? Dialect::kCrun : Dialect::kRunc}, real_clock())
        .value();
  }
  // A runtime that does what the script says.
  OciContainers scripted(const std::string& script, const Clock& clock = real_clock()) {
    testing_support::write_text(directory / "runtime", "#!/bin/sh\n" + script + "\n");
    must_run({"chmod", "755", directory / "runtime"});
    return OciContainers::open({.program = directory / "runtime", .root = machine->root()}, clock).value();
  }
  // What makes a scripted runtime be asked about a container.
  void pretend(const std::string& id) const {
    std::filesystem::create_directory(machine->root() + "/" + id);
    testing_support::write_text(machine->root() + "/" + id + "/state.json", R"({"init_process_pid":0})");
  }
  std::string names() {
    std::vector<std::string> names;
    for (const ports::Listed& listed : driver->list().value()) names.push_back(listed.name + (listed.error.empty() ? "" : "!"));
    std::ranges::sort(names);
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
    return text;
  }
  // A container's init becomes the child of this process, which reaps its children: see run_process().
  static bool has_ended(pid_t pid) { return waitpid(pid, nullptr, WNOHANG) == pid || !is_alive(pid); }
  Status destroy(const std::string& id) { return driver->destroy(Handle(id), in(Millis(30'000))); }

  testing_support::TempDirectory directory;
  std::optional<testing_support::OciMachine> machine;
  std::optional<OciContainers> driver;
  bool is_crun = false;
};

class Runc : public Runtime {
 protected:
  void SetUp() override {
    if (!testing_support::is_root()) GTEST_SKIP() << "needs root";
    set_up("runc");
  }
};

class OciRuntime : public Runtime, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    if (!testing_support::is_root()) GTEST_SKIP() << "needs root";
    set_up(GetParam());
  }
  std::string state_of(const std::string& id) const { return machine->root() + "/" + id + (is_crun ? "/status" : "/state.json"); }
  std::string own_prefix() const { return "/" + directory.path().filename().string() + "."; }
  // Every cgroup directory on the machine with this in its name.
  static std::string cgroups_with(const std::string& name) {
    // Others come and go while find looks, which it complains about.
    return must_run({"sh", "-c", "find /sys/fs/cgroup -type d -name \"*$1*\" 2>/dev/null; true", "sh", name});
  }
  std::string cgroups_left() const { return cgroups_with(directory.path().filename()); }
};

TEST_P(OciRuntime, PausedContainerGoes) {
  machine->run("c");
  machine->call("pause", "c");
  EXPECT_TRUE(destroy("c").ok());
  EXPECT_EQ(names(), "");
  EXPECT_EQ(cgroups_left(), "");
}

TEST_P(OciRuntime, ContainerThatWasNeverStartedGoes) {
  machine->create("c");
  EXPECT_TRUE(destroy("c").ok());
  EXPECT_EQ(names(), "");
}

TEST_P(OciRuntime, ContainerWhoseInitDiedGoes) {
  machine->run("c");
  kill(machine->init_of("c"), SIGKILL);
  EXPECT_TRUE(destroy("c").ok());
  EXPECT_EQ(names(), "");
  EXPECT_EQ(cgroups_left(), "");
}

TEST_P(OciRuntime, WhenDestroyReturnsTheInitHasEnded) {
  machine->run("c");
  const pid_t init = machine->init_of("c");
  EXPECT_TRUE(destroy("c").ok());
  EXPECT_TRUE(has_ended(init));
}

TEST_P(OciRuntime, DamagedStateHidesNobodyAndIsShown) {
  machine->run("whole");
  machine->run("broken");
  ASSERT_EQ(names(), "broken whole");
  testing_support::write_text(state_of("broken"), "");
  EXPECT_EQ(names(), "broken! whole");
  EXPECT_TRUE(destroy("broken").ok());
}

TEST_P(OciRuntime, CgroupsAboveThatTheRuntimeMadeGoWithTheLastContainer) {
  const testing_support::OciCgroup deep{.above = own_prefix() + "above/deep"};
  machine->run("one", deep);
  machine->run("two", deep);
  EXPECT_TRUE(destroy("one").ok());
  EXPECT_NE(cgroups_with(own_prefix().substr(1) + "above"), "") << "another container is still in there";
  EXPECT_TRUE(destroy("two").ok());
  EXPECT_EQ(cgroups_left(), "");
}

TEST_P(OciRuntime, CgroupAboveThatHasALimitIsSomebodysAndStays) {
  const std::string above = own_prefix() + "limited";
  const std::string made = "/sys/fs/cgroup/pids" + above;
  std::filesystem::create_directory(made);
  testing_support::write_text(made + "/pids.max", "1000");
  machine->run("c", {.above = above});
  EXPECT_TRUE(destroy("c").ok());
  EXPECT_TRUE(std::filesystem::exists(made));
  for (const auto& hierarchy : std::filesystem::directory_iterator("/sys/fs/cgroup")) rmdir((hierarchy.path().string() + above).c_str());
  EXPECT_EQ(cgroups_left(), "");
}

// How a state file is found damaged.
struct Damage {
  const char* name;
  std::function<void(const std::string& file)> inflict;
};

const Damage kDamages[] = {
    {"Truncated", [](const std::string& file) { std::filesystem::resize_file(file, 100); }},
    {"CutInTheLastLine", [](const std::string& file) { std::filesystem::resize_file(file, std::filesystem::file_size(file) - 2); }},
    {"Empty", [](const std::string& file) { std::filesystem::resize_file(file, 0); }},
    {"Garbage", [](const std::string& file) { testing_support::write_text(file, "\x7f\x45{\"pid\":1,[[["); }},
    {"OtherJson", [](const std::string& file) { testing_support::write_text(file, "{}"); }},
    {"Missing", [](const std::string& file) { std::filesystem::remove(file); }},
};

class DamagedState : public OciRuntime {};

TEST_P(DamagedState, IsCleanedByHandWithProcessesAndCgroupsAndNobodyElseIsTouched) {
  for (const Damage& damage : kDamages) {
    SCOPED_TRACE(damage.name);
    machine->run("whole");
    machine->run("broken");
    const pid_t init = machine->init_of("broken");
    const pid_t other = machine->init_of("whole");
    ASSERT_EQ(names(), "broken whole") << "seen while it was readable";
    damage.inflict(state_of("broken"));
    ASSERT_EQ(names(), "broken! whole");
    const Status destroyed = destroy("broken");
    EXPECT_TRUE(destroyed.ok()) << destroyed.error().message;
    EXPECT_TRUE(destroy("broken").ok());
    EXPECT_EQ(names(), "whole");
    EXPECT_TRUE(has_ended(init));
    EXPECT_TRUE(is_alive(other));
    EXPECT_EQ(cgroups_with(own_prefix().substr(1) + "broken"), "");
    EXPECT_TRUE(destroy("whole").ok());
    EXPECT_EQ(cgroups_left(), "");
  }
}

TEST_P(DamagedState, OfAPausedContainerToo) {
  machine->run("broken");
  const pid_t init = machine->init_of("broken");
  machine->call("pause", "broken");
  ASSERT_EQ(names(), "broken");
  std::filesystem::resize_file(state_of("broken"), 120);
  const Status destroyed = destroy("broken");
  EXPECT_TRUE(destroyed.ok()) << destroyed.error().message;
  EXPECT_TRUE(has_ended(init));
  EXPECT_EQ(cgroups_left(), "");
}

TEST_P(DamagedState, OfAContainerThatHadEndedLeavesNothing) {
  machine->run("broken");
  ASSERT_EQ(names(), "broken");
  kill(machine->init_of("broken"), SIGKILL);
  std::filesystem::resize_file(state_of("broken"), 0);
  const Status destroyed = destroy("broken");
  EXPECT_TRUE(destroyed.ok()) << destroyed.error().message;
  EXPECT_EQ(names(), "");
  EXPECT_EQ(cgroups_left(), "");
}

TEST_P(DamagedState, NeverSeenWholeIsKnownByTheNumbersThatCanStillBeRead) {
  machine->run("broken");
  const pid_t init = machine->init_of("broken");
  std::filesystem::resize_file(state_of("broken"), 100);
  const Status destroyed = destroy("broken");
  EXPECT_TRUE(destroyed.ok()) << destroyed.error().message;
  EXPECT_TRUE(has_ended(init));
  EXPECT_EQ(cgroups_left(), "");
}

TEST_P(DamagedState, NeverSeenWholeIsKnownByACgroupOfItsNameAndTheTime) {
  const std::string id = std::string(GetParam()) + "-" + directory.path().filename().string();
  machine->run(id, {.by_runtime = true});
  const pid_t init = machine->init_of(id);
  std::filesystem::remove(state_of(id));
  const Status destroyed = destroy(id);
  EXPECT_TRUE(destroyed.ok()) << destroyed.error().message;
  EXPECT_TRUE(has_ended(init));
  EXPECT_EQ(cgroups_with(id), "");
}

// The worst that a wrong guess could do is to kill somebody else's process: then rather nothing.
TEST_F(Runc, ContainerOfWhichNothingWasEverReadableAndThatMayBeAliveIsLeftAloneAndSaidSo) {
  machine->run("broken");
  const pid_t init = machine->init_of("broken");
  const std::string state = machine->root() + "/broken/state.json";
  std::filesystem::rename(state, directory / "state.json");
  const Status destroyed = destroy("broken");
  ASSERT_FALSE(destroyed.ok());
  EXPECT_NE(destroyed.error().message.find("nobody can tell"), std::string::npos) << destroyed.error().message;
  EXPECT_TRUE(is_alive(init));
  EXPECT_EQ(names(), "broken!");
  std::filesystem::rename(directory / "state.json", state);
  EXPECT_TRUE(destroy("broken").ok());
}

TEST_F(Runc, DeleteThatDiedHalfwayIsFinishedByTheNextWorkerWhateverElseBeganThen) {
  machine->run("c");
  testing_support::OciMachine elsewhere(directory / "elsewhere", "runc");
  elsewhere.run("stranger");
  const pid_t stranger = elsewhere.init_of("stranger");
  OciContainers dying = scripted(R"([ "$3" = delete ] && rm "$2/$4/state.json" && exit 137; exec runc "$@")");
  EXPECT_FALSE(dying.destroy(Handle("c"), in(Millis(30'000))).ok());
  EXPECT_EQ(names(), "c!");
  const Status destroyed = destroy("c");
  EXPECT_TRUE(destroyed.ok()) << destroyed.error().message;
  EXPECT_EQ(names(), "");
  EXPECT_TRUE(is_alive(stranger));
}

TEST_P(DamagedState, ThatNamesAnotherProcessKillsNobody) {
  machine->run("other");
  machine->run("broken");
  const pid_t other = machine->init_of("other");
  const pid_t init = machine->init_of("broken");
  ASSERT_EQ(names(), "broken other");
  const char* const lie = is_crun ? R"({"pid": %, "process-start-time": 5, "x)" : R"({"init_process_pid":%,"init_process_start":5,"x)";
  std::string text = lie;
  text.replace(text.find('%'), 1, std::to_string(other));
  testing_support::write_text(state_of("broken"), text);
  (void)destroy("broken");
  EXPECT_TRUE(is_alive(other));
  if (is_alive(init)) kill(init, SIGKILL);
  EXPECT_TRUE(destroy("broken").ok());
}

INSTANTIATE_TEST_SUITE_P(Runtimes, OciRuntime, testing::Values("runc", "crun"), [](const auto& maker) { return std::string(maker.param); });
INSTANTIATE_TEST_SUITE_P(Runtimes, DamagedState, testing::Values("runc", "crun"),
                         [](const auto& maker) { return std::string(maker.param); });

TEST(ContainerRecord, OfATextThatWasCutHasNoNumberThatMayLackDigits) {
  const std::string text = R"({"id":"c","init_process_pid":1234,"init_process_start":567890,"created":"x"})";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const ContainerRecord record = parse_record(text.substr(0, length), Dialect::kRunc);
    EXPECT_EQ(record.is_whole, length == text.size()) << length;
    EXPECT_EQ(record.init.value_or(system::ProcessId{1234, 567890}), (system::ProcessId{1234, 567890})) << length;
  }
  EXPECT_TRUE(parse_record(text.substr(0, text.find(",\"created")) + ",", Dialect::kRunc).init.has_value());
}

TEST(BearsId, OnlyWholeComponentsAndKnownMarks) {
  for (const char* cgroup : {"/c1", "/a/c1", "/a/libpod-c1", "/system.slice/docker-c1.scope", "/x.c1"})
    EXPECT_TRUE(bears_id(cgroup, "c1")) << cgroup;
  for (const char* cgroup : {"/", "/c1/x", "/ac1", "/c11", "/c1.service", "/a"}) EXPECT_FALSE(bears_id(cgroup, "c1")) << cgroup;
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
TEST_P(OciRuntime, ListIsWholeWhileContainersGo) {
  machine->run("stays");
  for (int i = 0; i < 8; ++i) machine->run("goes-" + std::to_string(i));
  std::jthread destroyer([&] {
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(destroy("goes-" + std::to_string(i)).ok());
  });
  for (std::size_t left = 9; left > 1;) {
    const auto listed = driver->list();
    ASSERT_TRUE(listed.ok()) << listed.error().message;
    EXPECT_NE(std::ranges::find(listed.value(), "stays", &ports::Listed::name), listed.value().end());
    left = listed.value().size();
  }
}

TEST_F(Runc, HangingRuntimeIsKilledWithAllItsChildrenAtTheDeadline) {
  pretend("c");
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
  pretend("c");
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
