// Workers by the thousand in one process, for stories about crowds: each is the product's own agent on the product's own link to the
// gateway, with a thread and a key of its own, on a machine that holds nothing.
//
//   reclaim-crowd keys DIRECTORY COUNT              makes the keys w0, w1, ... and prints their public halves, one a line
//   reclaim-crowd run DIRECTORY COUNT HOST PORT FINGERPRINT   syncs until it is killed
#include <libssh/libssh.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "adapters/link_ssh/ssh_link.hpp"
#include "adapters/system/system_time.hpp"
#include "worker/agent.hpp"

namespace reclaim {
namespace {

std::string key_file(const std::string& directory, int number) { return directory + "/w" + std::to_string(number); }

int make_keys(const std::string& directory, int count) {
  umask(077);
  for (int i = 0; i < count; ++i) {
    ssh_key key = nullptr;
    char* text = nullptr;
    if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK) return 1;
    if (ssh_pki_export_privkey_file(key, nullptr, nullptr, nullptr, key_file(directory, i).c_str()) != SSH_OK) return 1;
    if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) return 1;
    std::printf("ssh-ed25519 %s\n", text);
    ssh_string_free_char(text);
    ssh_key_free(key);
  }
  return 0;
}

class NoDisk : public worker::Memory {
 public:
  Result<std::optional<wire::Answered>> load() override { return std::optional<wire::Answered>{}; }
  Status store(const wire::Answered&) override { return done(); }
};

Status live(const link_ssh::SshLinkOptions& options) {
  const system::SystemClock clock;
  system::SystemRandom random;
  NoDisk memory;
  const std::unique_ptr<link_ssh::SshLink> link = TRY(link_ssh::SshLink::open(options, clock));
  worker::AgentOptions agent_options;
  agent_options.identity = {make_uuid(random), make_uuid(random), 1};
  agent_options.hold_max = agent_options.sync_interval;
  worker::Agent agent(agent_options, {}, memory, random);
  TRY(agent.open());
  for (;;) {
    agent.begin(clock.now());
    const wire::SyncRequest request = agent.prepare(std::nullopt, clock.now());
    const worker::Turn turn = agent.take(link->exchange(request), clock.now());
    if (turn.verdict == worker::Turn::Verdict::kSuperseded) return conflict("superseded");
    system::pause_for(turn.pause);
  }
}

int run(const std::string& directory, int count, const std::string& host, int port, const std::string& fingerprint) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([=] {
      const std::string name = "w" + std::to_string(i);
      const Status ended =
          live({.host = host, .port = port, .worker = name, .key_file = key_file(directory, i), .gateway_fingerprint = fingerprint});
      std::fprintf(stderr, "%s: %s\n", name.c_str(), ended.error().message.c_str());
      std::_Exit(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace
}  // namespace reclaim

int main(int count, char** words) {
  const std::vector<std::string> given(words + 1, words + count);
  if (given.size() == 3 && given[0] == "keys") return reclaim::make_keys(given[1], std::stoi(given[2]));
  if (given.size() == 6 && given[0] == "run") return reclaim::run(given[1], std::stoi(given[2]), given[3], std::stoi(given[4]), given[5]);
  std::fputs("usage: reclaim-crowd keys DIRECTORY COUNT | run DIRECTORY COUNT HOST PORT FINGERPRINT\n", stderr);
  return 2;
}
