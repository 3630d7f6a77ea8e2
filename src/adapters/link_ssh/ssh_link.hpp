// The control link over SSH, as the gateway speaks it: exec commands with JSON on stdin and stdout.
//
// Syncs go over one standing channel (`sync --follow`), one frame per line; the small calls over a channel each. The session is opened
// when it is first needed and opened again after it broke.
//
// What callers may rely on
//  * The gateway is the one whose key was given: any other is refused with kForbidden before our key is shown to it.
//  * Every call ends: connecting after connect_timeout, an exchange after the time that its answer may be held plus answer_timeout.
//    A broken or late exchange is kUnavailable, and its channel is given up: no later answer is taken for another's.
//  * kUnauthenticated: the gateway does not know our key.
//
// Who may call: one thread at a time; interrupt() any thread.
#pragma once

#include <libssh/libssh.h>

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/control_link.hpp"

namespace reclaim::link_ssh {

struct SshLinkOptions {
  std::string host;
  int port = 7022;
  std::string worker;               // the user name; the gateway goes by the key alone
  std::string key_file;             // private; nobody else may read it
  std::string gateway_key_file;     // its public key, or
  std::string gateway_fingerprint;  // SHA256:...
  Millis connect_timeout{10'000};
  Millis answer_timeout{30'000};
};

class SshLink : public ports::ControlLink {
 public:
  // Reads the keys. kInvalid names the option that is wrong.
  static Result<std::unique_ptr<SshLink>> open(SshLinkOptions options, const Clock& clock);
  ~SshLink() override;

  Result<wire::SyncAnswer> exchange(const wire::SyncRequest& request) override;
  Status heartbeat() override;
  Status land() override;
  Status retire() override;
  Result<std::string> status() override;

  // Makes the present exchange, or else the next, return kUnavailable at once.
  void interrupt();

 private:
  struct SessionDeleter {
    void operator()(ssh_session session) const;
  };
  struct ChannelDeleter {
    void operator()(ssh_channel channel) const;
  };
  struct KeyDeleter {
    void operator()(ssh_key key) const { ssh_key_free(key); }
  };
  using Session = std::unique_ptr<ssh_session_struct, SessionDeleter>;
  using Channel = std::unique_ptr<ssh_channel_struct, ChannelDeleter>;
  using Key = std::unique_ptr<ssh_key_struct, KeyDeleter>;

  SshLink(SshLinkOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}
  Status load_keys();

  Status connect();
  Status verify_gateway(ssh_session session) const;
  Result<Channel> open_channel(const char* command);
  Result<std::string> call(const char* command);
  Result<std::string> exchange_line(const std::string& frame, Instant deadline);
  Result<std::string> read_line(Instant deadline);
  Status wait_for_bytes(Instant deadline);
  Error problem_of(ssh_channel channel, Instant deadline);
  Error broken(const std::string& doing) const;
  void disconnect();

  SshLinkOptions options_;
  const Clock& clock_;
  Key key_;
  Key gateway_key_;
  Session session_;
  Channel standing_;
  std::string standing_session_;  // whom the standing channel's last full frame spoke for
  std::string unread_;            // of the standing channel
  int interrupt_fd_ = -1;
};

}  // namespace reclaim::link_ssh
