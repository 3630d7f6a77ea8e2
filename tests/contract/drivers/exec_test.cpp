// A program of somebody else's that hangs, floods, forks, lies or is not there costs its own calls and nothing else.
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "contract/drivers/benches.hpp"

namespace reclaim::driver_exec {
namespace {

using testing_support::in;
using testing_support::is_alive;

const std::string kIdentity = R"([ "$1" = identity ] && { echo '{"protocol":1,"kind":"volume","manages":"m"}'; exit 0; }
)";

class Exec : public testing::Test {
 protected:
  // What list() says of a program whose list verb is this script.
  std::string list_error(const std::string& script) {
    bench.write_program(kIdentity + script);
    auto driver = bench.open();
    const auto listed = driver.list();
    return listed.ok() ? "none" : listed.error().message;
  }
  std::string identity_error(const std::string& answer) {
    bench.write_program("echo '" + answer + "'");
    auto driver = bench.open();
    const auto listed = driver.list();
    EXPECT_FALSE(driver.destroy(Handle("a"), in(Millis(10'000))).ok()) << "nor does it destroy";
    return listed.ok() ? "none" : listed.error().message;
  }
  static pid_t pid_in(const std::string& file) {
    pid_t pid = 0;
    std::ifstream(file) >> pid;
    return pid;
  }

  ExecBench bench;
};

#define EXPECT_SAYS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

TEST_F(Exec, ListThatIsNotWhatTheProtocolSaysIsAnErrorAndNotAnEmptyList) {
  EXPECT_SAYS(list_error("echo '{}'"), "`resources` is missing");
  EXPECT_SAYS(list_error("echo '[]'"), "not a JSON object");
  EXPECT_SAYS(list_error("echo nonsense"), "not JSON");
  EXPECT_SAYS(list_error("echo '{\"resources\":[]} {}'"), "not JSON");
  EXPECT_SAYS(list_error("true"), "not JSON");
  EXPECT_SAYS(list_error("echo '{\"resources\":{}}'"), "resources");
  EXPECT_SAYS(list_error("echo '{\"resources\":[\"a\"]}'"), "not an object");
  EXPECT_SAYS(list_error("echo '{\"resources\":[{}]}'"), "resources[0].handle");
  EXPECT_SAYS(list_error("echo '{\"resources\":[{\"handle\":7}]}'"), "resources[0].handle");
  EXPECT_SAYS(list_error("echo '{\"resources\":[{\"handle\":\"a\"},{\"handle\":\"a\"}]}'"), "names a twice");
  EXPECT_SAYS(list_error("echo '{\"resources\":[]}'; echo it is broken >&2; exit 3"), "exit code 3: it is broken");
  EXPECT_SAYS(list_error("kill -SEGV $$"), "exit code 139");
}

TEST_F(Exec, WhatTheProgramSaysOfAResourceIsTakenOver) {
  bench.write_program(kIdentity + R"(echo '{"resources":[{"handle":"a b"},{"handle":"v","error":"I/O error","size":7}],"more":1}')");
  const auto listed = bench.open().list().value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].name, "a b");
  EXPECT_EQ(listed[1].name, "v");
  EXPECT_EQ(listed[1].error, "I/O error");
}

TEST_F(Exec, IdentityThatIsNotOfThisProtocolOrKindJudgesAndDestroysNothing) {
  EXPECT_SAYS(identity_error(R"({"protocol":2,"kind":"volume","manages":"m"})"), "speaks protocol 2");
  EXPECT_SAYS(identity_error(R"({"protocol":1,"kind":"container","manages":"m"})"), "it manages containers, not volumes");
  EXPECT_SAYS(identity_error(R"({"protocol":1,"kind":"volume"})"), "manages");
  EXPECT_SAYS(identity_error(R"({"protocol":1,"kind":"volume","manages":""})"), "one line");
  EXPECT_SAYS(identity_error(R"({"protocol":1,"kind":"volume","manages":")" + std::string(300, 'x') + R"("})"), "manages");
}

// Otherwise all that it had listed would seem gone, and all that is there now unknown.
TEST_F(Exec, ProgramThatSuddenlyManagesSomethingElseIsNotBelieved) {
  bench.create("a");
  EXPECT_EQ(bench.names(), "a");
  bench.write_program(R"(
[ "$1" = identity ] && { echo '{"protocol":1,"kind":"volume","manages":"another cluster"}'; exit 0; }
touch "$HERE/acted")");
  for (const bool restarted : {false, true}) {
    auto reopened = bench.open();
    ports::ResourceDriver& driver = restarted ? reopened : bench.driver();
    const auto listed = driver.list();
    ASSERT_FALSE(listed.ok());
    EXPECT_SAYS(listed.error().message, R"(manages "another cluster" now, it was "directories of a test")");
    EXPECT_FALSE(driver.destroy(Handle("a"), in(Millis(10'000))).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(bench.path("acted")));
}

TEST_F(Exec, DestroyIsBelievedOnlyWhenItSaysThatItIsGone) {
  for (const char* script :
       {"true", "echo '{}'", "echo '{\"gone\":false}'", "echo '{\"gone\":\"yes\"}'", "echo '{\"gone\":true}'; exit 1"}) {
    bench.write_program(kIdentity + script);
    EXPECT_FALSE(bench.open().destroy(Handle("a"), in(Millis(10'000))).ok()) << script;
  }
  bench.write_program(kIdentity + "echo 'first line' >&2; printf 'no\\033[31m way\\n' >&2; exit 1");
  const Status destroyed = bench.open().destroy(Handle("a"), in(Millis(10'000)));
  ASSERT_FALSE(destroyed.ok());
  EXPECT_SAYS(destroyed.error().message, "destroy: exit code 1: no?[31m way");
}

TEST_F(Exec, WhatIsNotAHandleNeverBecomesAnArgument) {
  bench.write_program(kIdentity + "touch \"$HERE/acted\"; echo '{\"gone\":true}'");
  for (const char* handle : {"", "-rf", "../a", "a b", "a\n", "$(id)"}) {
    EXPECT_FALSE(bench.open().destroy(Handle(handle), in(Millis(10'000))).ok()) << handle;
  }
  EXPECT_FALSE(std::filesystem::exists(bench.path("acted")));
}

TEST_F(Exec, HangingListHasADeadlineOfItsOwn) {
  const std::string started = bench.path("started");
  bench.write_program(kIdentity + "sleep 1000 & echo $! >\"$HERE/child\"; echo $$ >\"$HERE/started\"; wait");
  const testing_support::ClockThatWaitsFor clock([&] { return testing_support::holds_text(started); });
  auto driver = bench.open(clock, Millis(20));
  const auto listed = driver.list();
  ASSERT_FALSE(listed.ok());
  EXPECT_SAYS(listed.error().message, "list: ");
  EXPECT_SAYS(listed.error().message, "did not finish before its deadline");
  EXPECT_FALSE(is_alive(pid_in(started)));
  EXPECT_FALSE(is_alive(pid_in(bench.path("child"))));
}

TEST_F(Exec, FloodIsCutOff) {
  EXPECT_SAYS(list_error("while :; do echo noise >&2; done & yes"), "wrote more than");
  bench.write_program("yes");
  EXPECT_SAYS(bench.open().list().error().message, "identity: ");
}

// Left alone it could act on the handle's next bearer.
TEST_F(Exec, WhatLeftTheProcessGroupEndsWithTheCallToo) {
  bench.write_program(kIdentity + R"(
setsid sh -c 'setsid sh -c "echo \$\$ >$0; exec sleep 1000" "$0" & echo $$ >"$0.parent"; exec sleep 1000' "$HERE/stray" </dev/null >/dev/null 2>&1 &
while [ ! -s "$HERE/stray" ] || [ ! -s "$HERE/stray.parent" ]; do :; done
echo '{"gone":true}')");
  EXPECT_TRUE(bench.open().destroy(Handle("a"), in(Millis(30'000))).ok());
  for (const char* name : {"stray", "stray.parent"}) {
    const pid_t pid = pid_in(bench.path(name));
    ASSERT_GT(pid, 0) << name;
    EXPECT_FALSE(is_alive(pid)) << name;
  }
}

TEST_F(Exec, EndingStraysTouchesNoCallThatRuns) {
  bench.create("a");
  std::jthread others([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) EXPECT_TRUE(bench.open().destroy(Handle("never"), in(Millis(30'000))).ok());
  });
  for (int i = 0; i < 20; ++i) {
    const auto ended =
        system::run_process({{"sh", "-c", "(echo one; exit 0) & wait; echo two"}}, testing_support::real_clock(), in(Millis(30'000)));
    ASSERT_TRUE(ended.ok()) << ended.error().message;
    EXPECT_EQ(ended.value().output, "one\ntwo\n");
    EXPECT_EQ(ended.value().exit_code, 0);
  }
}

TEST_F(Exec, MissingProgramIsNamed) {
  std::filesystem::remove(bench.path("program"));
  EXPECT_SAYS(bench.open().list().error().message, bench.path("program"));
}

}  // namespace
}  // namespace reclaim::driver_exec
