// The gateway as the stock OpenSSH client meets it.
#include "gateway_fixture.hpp"

namespace reclaim::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

using OpenSsh = GatewayTest;

TEST_F(OpenSsh, SyncsOneFrame) {
  start();
  const auto [status, out, err] = run("w1", {"sync"}, frame(7));
  EXPECT_EQ(status, 0) << err;
  EXPECT_EQ(out, answer(7) + "\n");
  EXPECT_EQ(door_.frames(), std::vector<std::string>{"w1:" + frame(7)});
}

TEST_F(OpenSsh, MakesTheFourSmallCalls) {
  start();
  for (const char* call : {"heartbeat", "land", "retire", "status"}) {
    const auto [status, out, err] = run("w1", {call});
    EXPECT_EQ(status, 0) << err;
    EXPECT_EQ(out, "{\"name\":\"w1\"}\n");
  }
  EXPECT_EQ(door_.calls(), (std::vector<std::string>{"w1:heartbeat", "w1:land", "w1:retire", "w1:status"}));
}

TEST_F(OpenSsh, ActsForTheWorkerOfTheKeyWhateverUserNameIsGiven) {
  start();
  EXPECT_EQ(run("w2", {"sync"}, frame(1), {}, "w1").status, 0);
  EXPECT_EQ(run("w1", {"sync"}, frame(2), {}, "root").status, 0);
  EXPECT_EQ(door_.frames(), (std::vector<std::string>{"w2:" + frame(1), "w1:" + frame(2)}));
}

TEST_F(OpenSsh, TakesEcdsaAndRsaKeysToo) {
  start();
  for (const char* type : {"ecdsa", "rsa"}) {
    door_.enroll(key(type, type), type);
    EXPECT_EQ(run(type, {"status"}).out, std::string("{\"name\":\"") + type + "\"}\n");
  }
}

TEST_F(OpenSsh, IsRefusedWithAnUnknownKey) {
  start();
  key("stranger");
  const auto [status, out, err] = run("stranger", {"status"});
  EXPECT_EQ(status, 255);
  EXPECT_TRUE(contains(err, "Permission denied (publickey)")) << err;
  EXPECT_GE(refused(gateway::Refusal::kLogin), 1U);
  EXPECT_EQ(gateway_->counters().authenticated, 0U);
}

TEST_F(OpenSsh, IsRefusedWithoutAKey) {
  start();
  const auto [status, out, err] =
      run("w1", {"status"}, "", {"-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive,none"});
  EXPECT_EQ(status, 255);
  EXPECT_TRUE(contains(err, "Permission denied (publickey)")) << err;
}

TEST_F(OpenSsh, IsToldWhenTheServerIsAway) {
  start();
  door_.go_away(true);
  const auto [status, out, err] = run("w1", {"status"});
  EXPECT_EQ(status, 255);
  EXPECT_TRUE(contains(err, "the server is away, try again later")) << err;
}

TEST_F(OpenSsh, GetsExitStatusesThatTellRefusedFromTemporary) {
  start();
  const auto refused = run("w1", {"sync"}, R"({"session":1})");
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(contains(refused.err, "urn:reclaim:invalid")) << refused.err;
  EXPECT_EQ(refused.out, "");
  const auto unreadable = run("w1", {"sync"}, "{not json");
  EXPECT_EQ(unreadable.status, 1);
  EXPECT_TRUE(contains(unreadable.err, "\"status\":400")) << unreadable.err;

  Process follow(ssh("w1", {"sync", "--follow"}));
  follow.write(frame(1) + "\n");
  EXPECT_EQ(follow.line(), answer(1));
  door_.go_away(true);
  follow.write(frame(2) + "\n");
  EXPECT_TRUE(contains(follow.line(), "urn:reclaim:unavailable"));
}

TEST_F(OpenSsh, IsRefusedUnknownCommandsClearly) {
  start();
  for (const std::string command : {"id", "sync --force", "sync; id", "scp -t /"}) {
    const auto [status, out, err] = run("w1", {command});
    EXPECT_EQ(status, 2);
    EXPECT_EQ(err, "reclaim: unknown command `" + command + "`; known: sync, sync --follow, heartbeat, land, retire, status\n");
  }
  EXPECT_TRUE(door_.calls().empty());
}

TEST_F(OpenSsh, GetsNoTerminal) {
  start();
  const auto [status, out, err] = run("w1", {"status"}, "", {"-tt"});
  EXPECT_EQ(status, 255);
  EXPECT_TRUE(contains(err, "PTY allocation request failed")) << err;
  EXPECT_TRUE(door_.calls().empty());
}

TEST_F(OpenSsh, GetsNoShellAndNoSubsystem) {
  start();
  const auto shell = run("w1", {});
  EXPECT_NE(shell.status, 0);
  EXPECT_TRUE(contains(shell.err, "shell request failed")) << shell.err;
  const auto sftp = run("w1", {"sftp"}, "", {"-s"});
  EXPECT_NE(sftp.status, 0);
  EXPECT_TRUE(contains(sftp.err, "subsystem request failed")) << sftp.err;
}

TEST_F(OpenSsh, GetsNoForwarding) {
  start();
  const auto remote = run("w1", {"status"}, "", {"-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1"});
  EXPECT_EQ(remote.status, 255);
  EXPECT_TRUE(contains(remote.err, "remote port forwarding failed")) << remote.err;
  // -W asks for a direct-tcpip channel, as a connection to a port of -L does.
  const auto local = run("w1", {}, "", {"-W", "127.0.0.1:1"});
  EXPECT_EQ(local.status, 255);
  EXPECT_TRUE(contains(local.err, "open failed: administratively prohibited")) << local.err;
  EXPECT_EQ(run("w1", {"status"}, "", {"-A", "-X", "-o", "SetEnv=RECLAIM_WORKER=w2"}).out, "{\"name\":\"w1\"}\n");
}

TEST_F(OpenSsh, IsRefusedAFrameOverTheLimit) {
  options_.frame_bytes_max = 100'000;
  start();
  for (const auto& command : {std::vector<std::string>{"sync"}, std::vector<std::string>{"sync", "--follow"}}) {
    const auto [status, out, err] = run("w1", command, std::string(100'001, ' ') + "\n");
    EXPECT_EQ(status, 1);
    EXPECT_TRUE(contains(err, "urn:reclaim:too-large")) << err;
    EXPECT_EQ(out, "");
  }
  EXPECT_TRUE(door_.frames().empty());
  EXPECT_EQ(run("w1", {"sync"}, frame(1) + std::string(100'000 - frame(1).size(), ' ')).status, 0);
}

TEST_F(OpenSsh, CarriesAFrameOfTwentyMegabytes) {
  start();
  const std::string big = frame(1) + std::string(20'000'000, ' ');
  const auto [status, out, err] = run("w1", {"sync"}, big);
  EXPECT_EQ(status, 0) << err;
  EXPECT_EQ(door_.frames().at(0).size(), big.size() + 3);
}

TEST_F(OpenSsh, FollowsFrameByFrame) {
  start();
  Process follow(ssh("w1", {"sync", "--follow"}));
  follow.write(frame(1) + "\n");
  EXPECT_EQ(follow.line(), answer(1));
  follow.write("this is no frame\n");
  EXPECT_TRUE(contains(follow.line(), "\"status\":400"));
  follow.write(R"({"sequence":2,"as_of":9,"same":true})"
               "\n");
  EXPECT_EQ(follow.line(), answer(2));
  const auto [status, out, err] = follow.finish();
  EXPECT_EQ(status, 0) << err;
  EXPECT_TRUE(contains(door_.frames().at(1), "11111111-1111-4111-8111-111111111111"));
}

TEST_F(OpenSsh, EndsAHeldAnswerWithItsNextFrame) {
  start();
  Process follow(ssh("w1", {"sync", "--follow"}));
  follow.write(frame(1, R"(,"wait_ms":60000)") + "\n");
  door_.wait_for_frames(1);
  follow.write(frame(2) + "\n");
  EXPECT_EQ(follow.line(), answer(1));
  EXPECT_EQ(follow.line(), answer(2));
  EXPECT_EQ(follow.finish().status, 0);
}

TEST_F(OpenSsh, IsToldAboutHalfAFrame) {
  start();
  const auto [status, out, err] = run("w1", {"sync", "--follow"}, frame(1) + "\n" + frame(2));
  EXPECT_EQ(status, 1);
  EXPECT_EQ(out, answer(1) + "\n");
  EXPECT_TRUE(contains(err, "middle of a frame")) << err;
  EXPECT_EQ(door_.frames().size(), 1U);
}

TEST_F(OpenSsh, LosesAStandingChannelWithItsKey) {
  start();
  Process follow(ssh("w1", {"sync", "--follow"}));
  follow.write(frame(1) + "\n");
  EXPECT_EQ(follow.line(), answer(1));
  door_.take_away(key("w1"));
  follow.write(frame(2) + "\n");
  const auto [status, out, err] = follow.finish();
  EXPECT_EQ(status, 1);
  EXPECT_TRUE(contains(err, "urn:reclaim:unauthenticated")) << err;
  EXPECT_EQ(door_.frames().size(), 1U);
}

TEST_F(OpenSsh, KeepsItsSessionOverManyCommands) {
  start();
  const std::string control = directory_ / "control";
  const std::vector<std::string> shared = {"-o", "ControlMaster=auto", "-o", "ControlPath=" + control, "-o", "ControlPersist=30"};
  for (int i = 0; i < 30; ++i) EXPECT_EQ(run("w1", {"status"}, "", shared).out, "{\"name\":\"w1\"}\n");
  EXPECT_EQ(gateway_->counters().authenticated, 1U);
  Process(ssh("w1", {}, {"-o", "ControlPath=" + control, "-O", "exit"})).finish();
}

TEST_F(OpenSsh, RekeysInTheMiddleOfAFrame) {
  start();
  const auto [status, out, err] = run("w1", {"sync"}, frame(1) + std::string(2'000'000, ' '), {"-o", "RekeyLimit=200K"});
  EXPECT_EQ(status, 0) << err;
  EXPECT_EQ(out, answer(1) + "\n");
}

}  // namespace
}  // namespace reclaim::test
