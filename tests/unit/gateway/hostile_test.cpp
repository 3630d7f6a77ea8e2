// The gateway among clients that are slow, many, silent or hostile.
#include <libssh/libssh.h>
#include <sys/resource.h>

#include <cstdio>
#include <future>
#include <memory>
#include <thread>

#include "gateway_fixture.hpp"

namespace reclaim::test {
namespace {

using gateway::Refusal;

struct SessionDeleter {
  void operator()(ssh_session session) const { ssh_free(session); }
};

// A client session over libssh, which costs less than a process: for tests with hundreds of them.
class Client {
 public:
  Client(int port, const std::string& key_file) : session_(ssh_new()) {
    const unsigned int number = static_cast<unsigned int>(port);
    const bool no_configuration = false;
    ssh_options_set(session_.get(), SSH_OPTIONS_PROCESS_CONFIG, &no_configuration);
    ssh_options_set(session_.get(), SSH_OPTIONS_HOST, "127.0.0.1");
    ssh_options_set(session_.get(), SSH_OPTIONS_PORT, &number);
    const int no_delay = 1;
    ssh_options_set(session_.get(), SSH_OPTIONS_NODELAY, &no_delay);
    ssh_options_set(session_.get(), SSH_OPTIONS_USER, "anybody");
    ssh_key key = nullptr;
    if (ssh_pki_import_privkey_file(key_file.c_str(), "", nullptr, nullptr, &key) != SSH_OK) return;
    connected_ = ssh_connect(session_.get()) == SSH_OK && ssh_userauth_publickey(session_.get(), nullptr, key) == SSH_AUTH_SUCCESS;
    ssh_key_free(key);
  }
  ~Client() {
    if (connected_) ssh_disconnect(session_.get());
  }
  Client(Client&&) = default;
  Client& operator=(Client&&) = delete;

  bool connected() const { return connected_; }
  std::string error() const { return ssh_get_error(session_.get()); }
  ssh_session session() const { return session_.get(); }

  // Standard output of a command, or why there is none.
  std::string run(const std::string& command, const std::string& input = "") {
    ssh_channel channel = open(command);
    if (channel == nullptr) return error();
    ssh_channel_write(channel, input.data(), static_cast<std::uint32_t>(input.size()));
    ssh_channel_send_eof(channel);
    std::string out;
    char bytes[4096];
    for (int got = 0; (got = ssh_channel_read(channel, bytes, sizeof bytes, 0)) > 0;) out.append(bytes, static_cast<std::size_t>(got));
    ssh_channel_close(channel);
    ssh_channel_free(channel);
    return out;
  }
  ssh_channel open(const std::string& command) {
    ssh_channel channel = ssh_channel_new(session_.get());
    if (ssh_channel_open_session(channel) == SSH_OK && ssh_channel_request_exec(channel, command.c_str()) == SSH_OK) return channel;
    ssh_channel_free(channel);
    return nullptr;
  }

 private:
  std::unique_ptr<ssh_session_struct, SessionDeleter> session_;
  bool connected_ = false;
};

class Hostile : public GatewayTest {
 protected:
  std::string key_file(const std::string& name) { return key(name), directory_ / name; }
  Client client(const std::string& name = "w1") { return {gateway_->port(), key_file(name)}; }
  std::string status_of_w1() { return client().run("status"); }
};

TEST_F(Hostile, MakesTheHostKeyOnceAndKeepsIt) {
  start();
  const std::string before = gateway_->host_key();
  EXPECT_EQ(read_file(directory_ / "ssh_host_ed25519_key.pub"), before + " reclaim\n");
  EXPECT_EQ(std::filesystem::status(directory_ / "ssh_host_ed25519_key").permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(std::filesystem::status(directory_ / "ssh_host_ed25519_key.pub").permissions(), std::filesystem::perms(0644));
  gateway_->stop();
  std::filesystem::remove(directory_ / "ssh_host_ed25519_key.pub");
  start();
  EXPECT_EQ(gateway_->host_key(), before);
  EXPECT_EQ(read_file(directory_ / "ssh_host_ed25519_key.pub"), before + " reclaim\n");
  EXPECT_EQ(Process({"ssh-keygen", "-lf", directory_ / "ssh_host_ed25519_key.pub"}).finish().out.substr(4, 50), gateway_->fingerprint());
}

TEST_F(Hostile, RefusesAHostKeyThatOthersCanReadOrThatIsNone) {
  std::filesystem::permissions(key_file("w1"), std::filesystem::perms(0644));
  options_.host_key = directory_ / "w1";
  EXPECT_EQ(gateway::Gateway(options_, door_, clock_).start().error().kind, Error::Kind::kInvalid);
  std::ofstream(directory_ / "empty").close();
  std::filesystem::permissions(directory_ / "empty", std::filesystem::perms(0600));
  options_.host_key = directory_ / "empty";
  EXPECT_EQ(gateway::Gateway(options_, door_, clock_).start().error().kind, Error::Kind::kInvalid);
}

TEST_F(Hostile, SaysWhenItCannotListen) {
  start();
  gateway::GatewayOptions taken = options_;
  taken.listen_port = gateway_->port();
  EXPECT_EQ(gateway::Gateway(taken, door_, clock_).start().error().kind, Error::Kind::kUnavailable);
  taken.listen_host = "no.such.host.invalid";
  EXPECT_EQ(gateway::Gateway(taken, door_, clock_).start().error().kind, Error::Kind::kInvalid);
}

TEST_F(Hostile, ServesTwoHundredSessionsAtOnceAlthoughFewerMayLogInAtATime) {
  options_.sessions_per_key_max = 200;
  options_.unauthenticated_max = 32;
  options_.unauthenticated_grace = options_.login_timeout;  // the clients themselves are slow on a busy machine
  start();
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 200; ++i) {
    answers.push_back(std::async(std::launch::async, [&, i] { return client(i % 2 == 0 ? "w1" : "w2").run("sync", frame(i + 1)); }));
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)].get(), answer(i + 1) + "\n");
  EXPECT_EQ(gateway_->counters().authenticated, 200U);
  EXPECT_TRUE(eventually([&] { return gateway_->counters().sessions == 0; }));
}

TEST_F(Hostile, LimitsTheSessionsOfAKey) {
  options_.sessions_per_key_max = 2;
  start();
  Client first = client();
  {
    Client second = client();
    EXPECT_TRUE(first.connected() && second.connected());
    Client third = client();
    EXPECT_FALSE(third.connected());
    const auto [status, out, err] = run("w1", {"status"});
    EXPECT_EQ(status, 255);
    EXPECT_NE(err.find("reclaim: too many sessions with this key"), std::string::npos) << err;
    EXPECT_EQ(refused(Refusal::kSessionsOfKey), 2U);
    EXPECT_TRUE(client("w2").connected());
    EXPECT_EQ(second.run("status"), "{\"name\":\"w1\"}\n");
  }
  EXPECT_TRUE(eventually([&] { return client().connected(); }));
}

TEST_F(Hostile, LimitsAllSessions) {
  options_.sessions_max = 2;
  start();
  Client first = client();
  Client second = client("w2");
  EXPECT_NE(RawConnection(gateway_->port()).read_to_end().find("too many sessions"), std::string::npos);
  EXPECT_EQ(refused(Refusal::kSessions), 1U);
  EXPECT_EQ(first.run("status"), "{\"name\":\"w1\"}\n");
}

TEST_F(Hostile, LetsWorkersInAlthoughIdleConnectionsHoldEveryPlace) {
  options_.unauthenticated_max = 8;
  options_.unauthenticated_grace = Millis(200);
  start();
  Client standing = client();
  std::vector<RawConnection> idle;
  for (int i = 0; i < 24; ++i) idle.emplace_back(gateway_->port());
  EXPECT_TRUE(eventually([&] { return gateway_->counters().unauthenticated == 8; }));
  EXPECT_EQ(standing.run("status"), "{\"name\":\"w1\"}\n");
  EXPECT_EQ(status_of_w1(), "{\"name\":\"w1\"}\n");
  EXPECT_GE(refused(Refusal::kUnauthenticated), 8U);
  EXPECT_LE(gateway_->counters().unauthenticated, 8U);
}

TEST_F(Hostile, EndsWhoeverDoesNotLogInInTime) {
  options_.login_timeout = Millis(300);
  start();
  RawConnection silent(gateway_->port());
  RawConnection half(gateway_->port());
  half.send("SSH-2.0-half\r\n");
  EXPECT_EQ(silent.read_to_end().find("still open"), std::string::npos);
  EXPECT_EQ(half.read_to_end().find("still open"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return refused(Refusal::kLoginTimeout) == 2; }));
}

TEST_F(Hostile, EndsSessionsThatAskForNothing) {
  options_.idle_timeout = Millis(300);
  options_.follow_idle_timeout = Millis(100'000);
  start();
  Client idle = client();
  Process follow(ssh("w2", {"sync", "--follow"}));
  follow.write(frame(1) + "\n");
  EXPECT_EQ(follow.line(), answer(1));
  EXPECT_TRUE(eventually([&] { return gateway_->counters().sessions == 1; }));
  follow.write(frame(2) + "\n");
  EXPECT_EQ(follow.line(), answer(2));
}

TEST_F(Hostile, EndsAStandingChannelThatSaysNothingUnlessAnAnswerIsHeld) {
  options_.idle_timeout = options_.follow_idle_timeout = Millis(300);
  start();
  Process held(ssh("w1", {"sync", "--follow"}));
  held.write(frame(1, R"(,"wait_ms":60000)") + "\n");
  door_.wait_for_frames(1);
  Process silent(ssh("w2", {"sync", "--follow"}));
  const Process::Outcome outcome = silent.finish_without_closing();
  EXPECT_EQ(outcome.status, 255);
  EXPECT_NE(outcome.err.find("idle for too long"), std::string::npos) << outcome.err;
  door_.release_all();
  EXPECT_EQ(held.line(), answer(1));
}

TEST_F(Hostile, DropsNoiseAndBadBanners) {
  start();
  for (const std::string& noise : {std::string(100'000, 'x'), std::string("GET / HTTP/1.1\r\n\r\n"), std::string("SSH-1.5-old\r\n"),
                                   "SSH-2.0-x\r\n" + std::string(70'000, '\xff'), std::string(5000, '\0')}) {
    RawConnection connection(gateway_->port());
    connection.send(noise);
    EXPECT_EQ(connection.read_to_end().find("still open"), std::string::npos);
  }
  EXPECT_EQ(status_of_w1(), "{\"name\":\"w1\"}\n");
}

TEST_F(Hostile, GoesOnWhileAClientReadsNothing) {
  start();
  Client reader = client("w2");
  // Every frame is refused with an answer; nobody reads the answers.
  ssh_channel channel = reader.open("sync --follow");
  ASSERT_NE(channel, nullptr);
  ssh_set_blocking(reader.session(), 0);
  const std::string frames = [] {
    std::string text;
    for (int i = 0; i < 10'000; ++i) text += "x\n";
    return text;
  }();
  for (int i = 0; i < 50; ++i) ssh_channel_write(channel, frames.data(), static_cast<std::uint32_t>(frames.size()));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(status_of_w1(), "{\"name\":\"w1\"}\n");
  EXPECT_TRUE(door_.frames().empty());
}

TEST_F(Hostile, AnswersNobodyElseLaterBecauseTheDoorIsSlow) {
  options_.calls_max = 2;
  start();
  Process held(ssh("w1", {"sync", "--follow"}));
  held.write(frame(1, R"(,"wait_ms":60000)") + "\n");
  door_.wait_for_frames(1);
  EXPECT_EQ(client("w2").run("status"), "{\"name\":\"w2\"}\n");
}

TEST_F(Hostile, StopsWithSessionsOpenAndAnswersHeld) {
  start();
  Process held(ssh("w1", {"sync", "--follow"}));
  held.write(frame(1, R"(,"wait_ms":60000)") + "\n");
  door_.wait_for_frames(1);
  Client idle = client("w2");
  const Instant before = clock_.now();
  gateway_->stop();
  EXPECT_LT((clock_.now() - before).count(), 2000);
  const Process::Outcome outcome = held.finish_without_closing();
  EXPECT_EQ(outcome.status, 255);
  EXPECT_NE(outcome.err.find("the gateway stops"), std::string::npos) << outcome.err;
  door_.release_all();  // an answer for a gateway that is gone
}

TEST_F(Hostile, LimitsTheChannelsOfASession) {
  start();
  Client greedy = client();
  std::vector<ssh_channel> channels;
  for (int i = 0; i < 8; ++i) channels.push_back(greedy.open("sync --follow"));
  for (ssh_channel channel : channels) EXPECT_NE(channel, nullptr);
  EXPECT_EQ(greedy.open("sync --follow"), nullptr);
}

TEST_F(Hostile, LimitsWhatAllSessionsHoldTogether) {
  options_.held_bytes_max = 1 << 20;
  start();
  EXPECT_EQ(client().run("sync", frame(1) + std::string(1'000'000, ' ')), answer(1) + "\n");
  const auto [status, out, err] = run("w1", {"sync"}, frame(2) + std::string(3'000'000, ' '));
  EXPECT_EQ(status, 3);
  EXPECT_NE(err.find("as many unanswered frames as it may"), std::string::npos) << err;
  EXPECT_EQ(client().run("sync", frame(3)), answer(3) + "\n");
}

// In a process of its own, because a limit of descriptors is one of the process.
TEST_F(Hostile, RefusesNewSessionsWhenOutOfDescriptorsAndKeepsTheOldOnes) {
  const std::string file = key_file("w1");
  const pid_t child = fork();
  if (child == 0) {
    rlimit limit = {80, 80};
    setrlimit(RLIMIT_NOFILE, &limit);
    options_.sessions_per_key_max = 1000;
    gateway::Gateway gateway(options_, door_, clock_);
    if (!gateway.start().ok()) _exit(10);
    Client standing(gateway.port(), file);
    if (standing.run("status") != "{\"name\":\"w1\"}\n") _exit(11);
    // Eat what is left of the process's descriptors, so that not even the kept ones help.
    std::vector<int> eaten;
    for (int fd = 0; (fd = open("/dev/null", O_RDONLY)) >= 0;) eaten.push_back(fd);
    close(eaten.back());  // for the client's end
    if (RawConnection(gateway.port()).read_to_end().find("out of descriptors") == std::string::npos) _exit(12);
    const auto refused = [&] { return gateway.counters().refused[static_cast<std::size_t>(Refusal::kDescriptors)]; };
    if (!eventually([&] { return refused() > 0; })) _exit(13);
    if (standing.run("status") != "{\"name\":\"w1\"}\n") _exit(14);
    for (const int fd : eaten) close(fd);
    _exit(eventually([&] { return Client(gateway.port(), file).run("status") == "{\"name\":\"w1\"}\n"; }) ? 0 : 15);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

long resident_bytes() {
  long total = 0;
  long resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// The clients live in a child, so that this process's memory is the gateway's.
TEST_F(Hostile, KeepsAStandingSessionInSixtyFourKilobytes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps memory of its own beside every allocation";
#endif
  constexpr int kSessions = 300;
  options_.sessions_per_key_max = 1000;
  start();
  const std::string file = key_file("w1");
  const int port = gateway_->port();
  EXPECT_EQ(client().run("sync", frame(1)), answer(1) + "\n");  // what is made once
  int done[2];
  ASSERT_EQ(pipe(done), 0);
  const long before = resident_bytes();
  const pid_t child = fork();
  if (child == 0) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < kSessions; ++i) {
      clients.push_back(std::make_unique<Client>(port, file));
      ssh_channel channel = clients.back()->open("sync --follow");
      const std::string text = frame(i + 1) + "\n";
      char answer[64];
      if (channel == nullptr || ssh_channel_write(channel, text.data(), static_cast<std::uint32_t>(text.size())) <= 0 ||
          ssh_channel_read(channel, answer, sizeof answer, 0) <= 0) {
        _exit(1);
      }
    }
    [[maybe_unused]] const ssize_t told = write(done[1], "", 1);
    pause();
  }
  close(done[1]);
  char byte = 0;
  ASSERT_EQ(read(done[0], &byte, 1), 1);
  const long each = (resident_bytes() - before) / kSessions;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(done[0]);
  std::printf("a standing session takes %ld bytes\n", each);
  EXPECT_LE(each, 64 * 1024);
}

}  // namespace
}  // namespace reclaim::test
