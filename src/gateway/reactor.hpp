// The one thread on which all sessions live. It waits for sockets, letters and deadlines, and does nothing that can block: questions
// to the door go to the call pool and come back as letters.
#pragma once

#include <libssh/server.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "gateway/call_pool.hpp"
#include "gateway/gateway.hpp"
#include "gateway/host_key.hpp"
#include "gateway/listener.hpp"
#include "gateway/mailbox.hpp"
#include "gateway/session.hpp"

namespace reclaim::gateway {

class Reactor : private SessionHost {
 public:
  Reactor(const GatewayOptions& options, ports::ControlDoor& door, const Clock& clock);
  ~Reactor() override;  // stops

  Status start();

  int port() const { return listener_.port(); }
  ssh_key host_key() const { return host_key_.get(); }
  GatewayCounters counters() const;

 private:
  struct BindDeleter {
    void operator()(ssh_bind bind) const { ssh_bind_free(bind); }
  };
  struct Place {
    std::unique_ptr<Session> session;
    std::uint32_t events = 0;  // that epoll waits for
    bool is_counted_as_new = true;
    std::size_t held_bytes = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
  };

  void look_up(SessionId session, const std::string& key) override;
  void ask(SessionId session, ChannelId channel, const std::string& key, Ask ask, ChannelStanding standing) override;
  bool admit(const std::string& key) override;
  bool may_hold_more() const override { return held_bytes_ < options_.held_bytes_max; }
  void refused(Refusal why) override;

  Status make_bind();
  void run();
  void wait_and_serve(Millis patience);
  void accept_some();
  void begin(int fd);
  void serve(SessionId id, std::uint32_t events);
  void settle(SessionId id);  // after every touch of a session
  void drop(SessionId id);
  void check_deadlines();
  void make_room();
  void watch_listener();
  template <class Do>
  void with_session(SessionId id, Do&& touch);

  const GatewayOptions& options_;
  ports::ControlDoor& door_;
  const Clock& clock_;
  Key host_key_;
  std::unique_ptr<ssh_bind_struct, BindDeleter> bind_;
  Listener listener_;
  int epoll_ = -1;
  std::shared_ptr<Mailbox> mailbox_;  // shared with answers that may come after the gateway is gone

  std::unordered_map<SessionId, Place> sessions_;
  std::map<std::string, std::size_t, std::less<>> sessions_of_key_;
  std::vector<SessionId> again_;  // have more to do, though their sockets may be silent
  SessionId next_session_;
  std::size_t new_sessions_ = 0;  // not logged in yet
  std::size_t held_bytes_ = 0;
  bool is_listening_ = true;
  bool others_wait_ = false;  // for a place that somebody who does not log in may hold
  Instant out_of_descriptors_until_;

  std::atomic<bool> stopping_ = false;
  struct {
    std::atomic<std::uint64_t> accepted = 0;
    std::atomic<std::uint64_t> authenticated = 0;
    std::array<std::atomic<std::uint64_t>, kRefusals.size()> refused = {};
    std::atomic<std::uint64_t> sessions = 0;
    std::atomic<std::uint64_t> unauthenticated = 0;
    std::atomic<std::uint64_t> bytes_in = 0;
    std::atomic<std::uint64_t> bytes_out = 0;
  } tally_;

  std::unique_ptr<CallPool> calls_;
  std::thread thread_;
};

}  // namespace reclaim::gateway
