// The worker's link before a real gateway.
#include "adapters/link_ssh/ssh_link.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "gateway_fixture.hpp"

namespace reclaim::test {
namespace {

class SshLinkTest : public GatewayTest {
 protected:
  void SetUp() override {
    start();
    write(directory_ / "gateway.pub", gateway_->host_key() + "\n");
  }

  static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

  link_ssh::SshLinkOptions options(const std::string& key_name = "w1") {
    (void)key(key_name);
    return {.host = "127.0.0.1",
            .port = gateway_->port(),
            .worker = "w1",
            .key_file = directory_ / key_name,
            .gateway_key_file = directory_ / "gateway.pub",
            .connect_timeout = Millis(5'000),
            .answer_timeout = Millis(10'000)};
  }
  std::unique_ptr<link_ssh::SshLink> open(link_ssh::SshLinkOptions given) {
    return link_ssh::SshLink::open(std::move(given), clock_).value();
  }

  static wire::SyncRequest request(std::int64_t sequence) {
    wire::SyncRequest made;
    made.session = "11111111-1111-4111-8111-111111111111";
    made.incarnation = "22222222-2222-4222-8222-222222222222";
    made.started = 3;
    made.sequence = sequence;
    return made;
  }
  static std::string kind_of(const auto& result) { return result.ok() ? "ok" : std::string(name_of(result.error().kind)); }
};

TEST_F(SshLinkTest, ExchangesSyncsOverOneStandingChannel) {
  const auto link = open(options());
  for (int i = 1; i <= 5; ++i) {
    wire::SyncRequest sync = request(i);
    sync.same = i > 1;
    const auto answer = link->exchange(sync);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer.value().sequence, i);
  }
  EXPECT_EQ(gateway_->counters().authenticated, 1U);
}

TEST_F(SshLinkTest, ShortFrameIsSentInFullOnANewChannel) {
  wire::SyncRequest sync = request(1);
  sync.same = true;
  EXPECT_EQ(kind_of(open(options())->exchange(sync)), "ok");
}

TEST_F(SshLinkTest, LargeInventoryGoesThrough) {
  wire::SyncRequest sync = request(1);
  sync.inventories.volumes.emplace();
  for (int i = 0; i < 100'000; ++i) sync.inventories.volumes->added.push_back("volume-with-a-name-" + std::to_string(i));
  EXPECT_EQ(kind_of(open(options())->exchange(sync)), "ok");
}

TEST_F(SshLinkTest, MakesTheSmallCalls) {
  const auto link = open(options());
  EXPECT_EQ(kind_of(link->exchange(request(1))), "ok");
  EXPECT_TRUE(link->heartbeat().ok());
  EXPECT_TRUE(link->land().ok());
  EXPECT_TRUE(link->retire().ok());
  EXPECT_NE(link->status().value().find("\"w1\""), std::string::npos);
  EXPECT_EQ(door_.calls(), (std::vector<std::string>{"w1:heartbeat", "w1:land", "w1:retire", "w1:status"}));
  EXPECT_EQ(kind_of(link->exchange(request(2))), "ok");
}

TEST_F(SshLinkTest, ProblemIsTypedAndTheChannelGoesOn) {
  const auto link = open(options());
  EXPECT_EQ(kind_of(link->exchange(request(1))), "ok");
  door_.go_away(true);
  EXPECT_EQ(kind_of(link->exchange(request(2))), "unavailable");
  const Status landed = link->land();
  ASSERT_FALSE(landed.ok());
  EXPECT_EQ(landed.error().message, "the database is away");
  door_.go_away(false);
  EXPECT_EQ(kind_of(link->exchange(request(3))), "ok");
}

TEST_F(SshLinkTest, KeyThatIsNotEnrolledIsUnauthenticated) {
  const auto link = open(options("stranger"));
  EXPECT_EQ(kind_of(link->exchange(request(1))), "unauthenticated");
  EXPECT_EQ(kind_of(link->land()), "unauthenticated");
  door_.enroll(key("stranger"), "w3");
  EXPECT_EQ(kind_of(link->exchange(request(1))), "ok") << "once it is enrolled";
}

TEST_F(SshLinkTest, KeyTakenAwayIsUnauthenticatedOnTheStandingChannel) {
  const auto link = open(options());
  EXPECT_EQ(kind_of(link->exchange(request(1))), "ok");
  door_.take_away(key("w1"));
  EXPECT_EQ(kind_of(link->exchange(request(2))), "unauthenticated");
  door_.enroll(key("w1"), "w1");
  EXPECT_EQ(kind_of(link->exchange(request(3))), "ok");
}

TEST_F(SshLinkTest, OtherGatewayIsRefusedBeforeItSeesOurKey) {
  (void)key("w2");
  link_ssh::SshLinkOptions wrong = options();
  wrong.gateway_key_file = directory_ / "w2.pub";
  EXPECT_EQ(kind_of(open(wrong)->exchange(request(1))), "forbidden");
  EXPECT_EQ(gateway_->counters().authenticated, 0U);
}

TEST_F(SshLinkTest, FingerprintStandsForTheKey) {
  link_ssh::SshLinkOptions given = options();
  given.gateway_key_file.clear();
  given.gateway_fingerprint = gateway_->fingerprint();
  EXPECT_EQ(kind_of(open(given)->exchange(request(1))), "ok");
  given.gateway_fingerprint = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  EXPECT_EQ(kind_of(open(given)->exchange(request(2))), "forbidden");
}

TEST_F(SshLinkTest, KeyFilesAreCheckedBeforeAnythingElse) {
  link_ssh::SshLinkOptions given = options();
  std::filesystem::permissions(given.key_file, std::filesystem::perms::owner_read | std::filesystem::perms::group_read);
  const auto readable = link_ssh::SshLink::open(given, clock_);
  ASSERT_FALSE(readable.ok());
  EXPECT_EQ(readable.error().field, "key");
  EXPECT_NE(readable.error().message.find("chmod 600"), std::string::npos) << readable.error().message;
  std::filesystem::permissions(given.key_file, std::filesystem::perms::owner_read);
  given.gateway_key_file = directory_ / "absent.pub";
  EXPECT_EQ(link_ssh::SshLink::open(given, clock_).error().field, "gateway-key");
  given.key_file = directory_ / "absent";
  EXPECT_EQ(link_ssh::SshLink::open(given, clock_).error().field, "key");
}

TEST_F(SshLinkTest, InterruptedExchangeLeavesNoAnswerForTheNext) {
  const auto link = open(options());
  EXPECT_EQ(kind_of(link->exchange(request(1))), "ok");
  {
    const std::jthread interrupter([&] {
      door_.wait_for_frames(2);
      link->interrupt();
    });
    wire::SyncRequest held = request(2);
    held.wait_ms = 60'000;
    const auto answer = link->exchange(held);
    EXPECT_EQ(kind_of(answer), "unavailable");
  }
  const auto answer = link->exchange(request(3));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().sequence, 3);
}

TEST_F(SshLinkTest, ComesBackAfterTheGatewayWasAway) {
  const auto link = open(options());
  EXPECT_EQ(kind_of(link->exchange(request(1))), "ok");
  options_.listen_port = gateway_->port();
  gateway_.reset();
  EXPECT_EQ(kind_of(link->exchange(request(2))), "unavailable");
  EXPECT_EQ(kind_of(link->exchange(request(3))), "unavailable");
  start();
  EXPECT_EQ(kind_of(link->exchange(request(4))), "ok");
}

TEST_F(SshLinkTest, SilentPeerIsGivenUp) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  link_ssh::SshLinkOptions given = options();
  given.port = ntohs(address.sin_port);
  given.connect_timeout = Millis(1'000);
  const Instant before = clock_.now();
  EXPECT_EQ(kind_of(open(given)->exchange(request(1))), "unavailable");
  EXPECT_LT(clock_.now() - before, Millis(10'000));
  close(listener);
}

}  // namespace
}  // namespace reclaim::test
