// The SSH gateway: workers come in with the key that they were enrolled with, and speak JSON over exec commands of the stock client.
//
// What callers may rely on
//  * A session acts for the worker of the key it was authenticated with, whatever user name or payload it sends (F4). The key is
//    named again with every request, so that a key taken away acts at once.
//  * Only public keys, only the commands sync, sync --follow, heartbeat, land, retire, status. Everything else is refused.
//  * No session waits for another: nothing on the sessions' thread blocks, every buffer has a bound, every wait a deadline.
//  * Out of descriptors or places, sessions that stand go on and new ones are refused.
//
// Errors of start(): kInvalid for a wrong listen address or host key, with the option's name in `field`; kUnavailable for the rest.
// Who may call: start() and stop() one thread, the rest any thread after start(). The door must outlive the gateway.
// A crash leaves: the host key, whole or not there. Requests under way may or may not have reached the door.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/control_door.hpp"
#include "runtime/descriptors.hpp"

namespace reclaim::gateway {

struct GatewayOptions {
  std::string listen_host = "127.0.0.1";  // an address or a name; the first address that can be bound is taken
  int listen_port = 7022;                 // 0: any free one
  std::filesystem::path host_key;         // made on first start (ed25519, 0600), with `.pub` beside it

  std::size_t frame_bytes_max = std::size_t{64} << 20;
  std::size_t held_bytes_max = std::size_t{512} << 20;  // of all frames that came in and are not answered yet
  std::size_t sessions_max = 4096;
  std::size_t sessions_per_key_max = 4;
  std::size_t unauthenticated_max = 128;
  std::size_t calls_max = 8;                               // threads that ask the door
  std::size_t descriptors_left = runtime::kLeftByWorkers;  // percent of the process's limit

  Millis login_timeout{10'000};
  Millis unauthenticated_grace{1'000};  // of silence, then one that has not logged in gives its place up to others who wait
  Millis idle_timeout{120'000};         // of a session without a request
  Millis follow_idle_timeout{150'000};  // of a standing channel on which neither side says anything: two of the longest waits, and slack
};

enum class Refusal { kSessions, kSessionsOfKey, kUnauthenticated, kDescriptors, kLoginTimeout, kLogin };
inline constexpr std::array kRefusals = {Refusal::kSessions,    Refusal::kSessionsOfKey, Refusal::kUnauthenticated,
                                         Refusal::kDescriptors, Refusal::kLoginTimeout,  Refusal::kLogin};
std::string_view name_of(Refusal refusal);

struct GatewayCounters {
  std::uint64_t accepted = 0;
  std::uint64_t authenticated = 0;
  std::array<std::uint64_t, kRefusals.size()> refused{};  // by Refusal
  std::uint64_t sessions = 0;                             // now
  std::uint64_t unauthenticated = 0;                      // of them
  std::uint64_t bytes_in = 0;                             // on the wire
  std::uint64_t bytes_out = 0;
};

class Reactor;

class Gateway {
 public:
  Gateway(GatewayOptions options, ports::ControlDoor& door, const Clock& clock);
  ~Gateway();  // stops

  Status start();
  // Ends every session; returns when no call into the door is running any more. Answers that the door gives later are dropped.
  void stop();

  int port() const;
  std::string host_key() const;     // `ssh-ed25519 AAAA...`
  std::string fingerprint() const;  // `SHA256:...`
  GatewayCounters counters() const;

 private:
  GatewayOptions options_;
  ports::ControlDoor& door_;
  const Clock& clock_;
  std::unique_ptr<Reactor> reactor_;
};

}  // namespace reclaim::gateway
