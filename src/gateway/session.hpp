// One SSH connection, from its key exchange to its end, over libssh without blocking.
//
// libssh's message queue is used instead of its server callbacks because a callback has to say at once whether a key may log in,
// and the door that knows may be a network away: here the message is kept until the door has answered, and the session reads
// nothing meanwhile.
//
// libssh calls back from inside its reads and writes. Those callbacks only take notes; step() acts on them.
//
// Who may call: the gateway's one thread.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "gateway/exchange.hpp"
#include "gateway/gateway.hpp"
#include "wire/sync.hpp"

namespace reclaim::gateway {

using SessionId = std::uint64_t;
using ChannelId = std::uint64_t;

// What the short frames of one channel are completed from. Touched by one call at a time: the next frame waits until this one
// has been passed on.
using ChannelStanding = std::shared_ptr<std::optional<wire::Standing>>;

// What a session needs of the gateway around it. None of it blocks; answers come back later.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual void look_up(SessionId session, const std::string& key) = 0;  // answered by Session::looked_up
  // Answered by Session::passed_on and Session::answered.
  virtual void ask(SessionId session, ChannelId channel, const std::string& key, Ask ask, ChannelStanding standing) = 0;
  virtual bool admit(const std::string& key) = 0;  // false: the key has all the sessions it may have
  virtual bool may_hold_more() const = 0;          // false: the frames of all sessions together are at their limit
  virtual void refused(Refusal why) = 0;
};

class Session {
 public:
  // Takes `fd`, a connected non-blocking socket.
  static Result<std::unique_ptr<Session>> accept(SessionId id, ssh_bind bind, int fd, const GatewayOptions& options, SessionHost& host,
                                                 Instant now);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Does all that can be done without waiting.
  void step(Instant now);
  void looked_up(const Result<WorkerName>& worker, Instant now);
  void passed_on(ChannelId channel, Instant now);
  void answered(ChannelId channel, std::uint64_t number, Result<std::string> answer, Instant now);
  void end(std::string why);
  // Ends the session when it has waited for its client longer than it may.
  void check_deadline(Instant now);
  bool lets_others_wait(Instant now) const;  // not logged in, and silent although it is its turn to speak

  SessionId id() const { return id_; }
  int fd() const { return fd_; }
  const std::string& key() const { return key_; }  // empty until authenticated
  bool is_over() const { return is_over_; }
  bool has_more_to_do() const { return has_more_to_do_; }  // step again, though the socket may be silent
  bool reads() const;                                      // false: nothing is read until the door or the client's window moves
  std::uint32_t epoll_events() const;
  std::size_t held_bytes() const;
  std::uint64_t bytes_in() const { return traffic_.in_bytes; }
  std::uint64_t bytes_out() const { return traffic_.out_bytes; }

 private:
  struct MessageDeleter {
    void operator()(ssh_message message) const { ssh_message_free(message); }
  };
  using Message = std::unique_ptr<ssh_message_struct, MessageDeleter>;
  struct SessionDeleter {
    void operator()(ssh_session session) const { ssh_free(session); }
  };
  struct Channel;

  Session(SessionId id, ssh_session ssh, int fd, const GatewayOptions& options, SessionHost& host, Instant now);

  void tell_why();
  bool shake_hands();
  bool work();
  bool take_messages();
  void take(Message message);
  void take_login(Message message);
  void grant(Message message);
  void take_channel_open(Message message);
  void take_channel_request(Message message);
  void take_exec(Channel& channel, Message message);
  bool advance(Channel& channel);
  bool write_out(Channel& channel, Outbox& box, bool to_stderr);
  bool close(Channel& channel);
  void free_closed_channels();
  Channel* find(ssh_channel channel);
  Channel* find(ChannelId channel);
  bool is_writing() const;

  static int on_data(ssh_session, ssh_channel, void* data, std::uint32_t length, int is_stderr, void* channel);
  static void on_end(ssh_session, ssh_channel, void* channel);
  static void on_close(ssh_session, ssh_channel, void* channel);

  const SessionId id_;
  const int fd_;
  const GatewayOptions& options_;
  SessionHost& host_;
  const Instant since_;
  Instant last_active_;
  ssh_counter_struct traffic_ = {};
  std::unique_ptr<ssh_session_struct, SessionDeleter> ssh_;
  bool is_encrypted_ = false;
  Message pending_login_;
  int logins_ = 0;
  std::string approved_key_;  // known to the door; its signature is still to come
  std::string key_;
  std::vector<std::unique_ptr<Channel>> channels_;
  ChannelId next_channel_ = 1;
  bool has_more_to_do_ = false;
  bool is_over_ = false;
  std::string end_reason_;
};

}  // namespace reclaim::gateway
