// Workers by the thousand in one process, for stories about crowds: each is the product's own agent on the product's own link to the
// gateway, with a thread and a key of its own, on a machine that holds nothing.
//
//   reclaim-crowd keys DIRECTORY COUNT              makes the keys w0, w1, ... and prints their public halves, one a line
//   reclaim-crowd run DIRECTORY COUNT HOST PORT FINGERPRINT   syncs until it is killed
#include <libssh/libssh.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/link_ssh/ssh_link.hpp"
#include "adapters/system/system_time.hpp"
#include "runtime/loop.hpp"
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

// One worker: its turns come as those of the real one do.
class Worker {
 public:
  Worker(const Clock& clock, const link_ssh::SshLinkOptions& options)
      : clock_(clock),
        link_(link_ssh::SshLink::open(options, clock).value()),
        agent_(agent_options(random_), {}, memory_, random_),
        loop_(clock, [this](const std::stop_token&) { return turn(); }) {}

 private:
  static worker::AgentOptions agent_options(Random& random) {
    worker::AgentOptions options;
    options.identity = {make_uuid(random), make_uuid(random), 1};
    options.hold_max = options.sync_interval;
    return options;
  }

  std::optional<Millis> turn() {
    check(opened_.ok(), "a worker without a disk remembers nothing and opens");
    agent_.begin(clock_.now());
    const wire::SyncRequest request = agent_.prepare(std::nullopt, clock_.now());
    const worker::Turn turn = agent_.take(link_->exchange(request), clock_.now());
    check(turn.verdict == worker::Turn::Verdict::kGoOn, "nobody else has this worker's key");
    return turn.pause;
  }

  const Clock& clock_;
  system::SystemRandom random_;
  NoDisk memory_;
  std::unique_ptr<link_ssh::SshLink> link_;
  worker::Agent agent_;
  const Status opened_ = agent_.open();
  runtime::Loop loop_;
};

int run(const std::string& directory, int count, const std::string& host, int port, const std::string& fingerprint) {
  const system::SystemClock clock;
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < count; ++i) {
    const std::string name = "w" + std::to_string(i);
    workers.push_back(std::make_unique<Worker>(
        clock, link_ssh::SshLinkOptions{
                   .host = host, .port = port, .worker = name, .key_file = key_file(directory, i), .gateway_fingerprint = fingerprint}));
  }
  pause();
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
