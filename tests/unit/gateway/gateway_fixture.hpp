// A gateway on a free port before a fake door, with the keys of two workers and of a stranger.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/system/system_time.hpp"
#include "fake_door.hpp"
#include "gateway/gateway.hpp"
#include "ssh_tools.hpp"

namespace reclaim::test {

// A complete frame of session `s`, incarnation `i`.
inline std::string frame(int sequence, const std::string& more = "") {
  return R"({"session":"11111111-1111-4111-8111-111111111111","incarnation":"22222222-2222-4222-8222-222222222222","started":3,"sequence":)" +
         std::to_string(sequence) + R"(,"as_of":0)" + more + "}";
}

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() {
    options_.listen_port = 0;
    options_.host_key = directory_ / "ssh_host_ed25519_key";
    door_.enroll(key("w1"), "w1");
    door_.enroll(key("w2"), "w2");
  }

  void start() {
    gateway_ = std::make_unique<gateway::Gateway>(options_, door_, clock_);
    const Status started = gateway_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    std::ofstream(directory_ / "known_hosts") << "[127.0.0.1]:" << gateway_->port() << " " << gateway_->host_key() << "\n";
  }

  // The public key of that name, made when it is first asked for.
  std::string key(const std::string& name, const std::string& type = "ed25519") {
    const std::string path = directory_ / name;
    if (!std::filesystem::exists(path)) Process({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "", "-f", path}).finish();
    std::string line = read_file(path + ".pub");
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
    return line;
  }

  std::vector<std::string> ssh(const std::string& key_name, const std::vector<std::string>& command,
                               const std::vector<std::string>& options = {}, const std::string& user = "w1") {
    std::vector<std::string> words = {"timeout",
                                      "30",
                                      "ssh",
                                      "-F",
                                      "/dev/null",
                                      "-o",
                                      "UserKnownHostsFile=" + (directory_ / "known_hosts"),
                                      "-o",
                                      "StrictHostKeyChecking=yes",
                                      "-o",
                                      "IdentitiesOnly=yes",
                                      "-o",
                                      "BatchMode=yes",
                                      "-o",
                                      "IdentityAgent=none",
                                      "-i",
                                      directory_ / key_name,
                                      "-p",
                                      std::to_string(gateway_->port())};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(user + "@127.0.0.1");
    words.insert(words.end(), command.begin(), command.end());
    return words;
  }

  Process::Outcome run(const std::string& key_name, const std::vector<std::string>& command, const std::string& input = "",
                       const std::vector<std::string>& options = {}, const std::string& user = "w1") {
    Process client(ssh(key_name, command, options, user));
    client.write(input);
    return client.finish();
  }

  std::uint64_t refused(gateway::Refusal why) const { return gateway_->counters().refused[static_cast<std::size_t>(why)]; }

  TemporaryDirectory directory_;
  system::SystemClock clock_;
  FakeDoor door_;
  gateway::GatewayOptions options_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

}  // namespace reclaim::test
