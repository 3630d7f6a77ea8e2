#include "gateway/reactor.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "gateway/frames.hpp"

namespace reclaim::gateway {
namespace {

constexpr SessionId kListener = 0;
constexpr SessionId kMailbox = 1;
constexpr SessionId kFirstSession = 2;
constexpr int kAcceptedAtOnce = 64;
constexpr Millis kDescriptorsPause{100};

// Only what costs little to agree on: a client that could choose a big group would choose how long everybody waits.
constexpr const char* kKeyExchanges = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256";
constexpr const char* kKeyTypes = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256";
constexpr int kRsaBitsMin = 2048;

Millis tick_of(const GatewayOptions& options) {
  const Millis shortest =
      std::min({options.login_timeout, options.idle_timeout, options.follow_idle_timeout, options.unauthenticated_grace});
  return std::clamp(shortest / 4, Millis(5), Millis(1000));
}

}  // namespace

Reactor::Reactor(const GatewayOptions& options, ports::ControlDoor& door, const Clock& clock)
    : options_(options), door_(door), clock_(clock), mailbox_(std::make_shared<Mailbox>()), next_session_(kFirstSession) {}

Reactor::~Reactor() {
  stopping_ = true;
  mailbox_->post([] {});
  if (thread_.joinable()) thread_.join();
  calls_.reset();
  mailbox_->close();
  sessions_.clear();
  if (epoll_ >= 0) close(epoll_);
}

Status Reactor::start() {
  host_key_ = TRY(load_or_make_host_key(options_.host_key));
  TRY(make_bind());
  TRY(listener_.open(options_.listen_host, options_.listen_port, options_.descriptors_left));
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event for_listener = {EPOLLIN, {.u64 = kListener}};
  epoll_event for_mailbox = {EPOLLIN, {.u64 = kMailbox}};
  if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_.fd(), &for_listener) != 0 ||
      epoll_ctl(epoll_, EPOLL_CTL_ADD, mailbox_->fd(), &for_mailbox) != 0) {
    return unavailable("the gateway cannot wait for connections");
  }
  calls_ = std::make_unique<CallPool>(options_.calls_max);
  thread_ = std::thread([this] { run(); });
  return done();
}

Status Reactor::make_bind() {
  bind_.reset(ssh_bind_new());
  if (bind_ == nullptr) return unavailable("no memory for the SSH server");
  const bool no_configuration = false;
  ssh_key copy = ssh_key_dup(host_key_.get());  // becomes the bind's
  const auto set = [&](ssh_bind_options_e option, const void* value) { return ssh_bind_options_set(bind_.get(), option, value) == 0; };
  if (set(SSH_BIND_OPTIONS_IMPORT_KEY, copy) && set(SSH_BIND_OPTIONS_PROCESS_CONFIG, &no_configuration) &&
      set(SSH_BIND_OPTIONS_RSA_MIN_SIZE, &kRsaBitsMin) && set(SSH_BIND_OPTIONS_KEY_EXCHANGE, kKeyExchanges) &&
      set(SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, kKeyTypes) && set(SSH_BIND_OPTIONS_BANNER, "reclaim")) {
    return done();
  }
  return unavailable(std::string("cannot set up the SSH server: ") + ssh_get_error(bind_.get()));
}

void Reactor::run() {
  const Millis tick = tick_of(options_);
  Instant next_check = clock_.now() + tick;
  while (!stopping_) {
    wait_and_serve(again_.empty() ? std::clamp(next_check - clock_.now(), Millis(0), tick) : Millis(0));
    for (const SessionId id : std::exchange(again_, {})) {
      with_session(id, [&](Session& session) { session.step(clock_.now()); });
    }
    if (clock_.now() >= next_check) {
      check_deadlines();
      next_check = clock_.now() + tick;
    }
    watch_listener();
  }
  std::vector<SessionId> all;
  for (const auto& [id, place] : sessions_) all.push_back(id);
  for (const SessionId id : all) with_session(id, [](Session& session) { session.end("the gateway stops"); });
}

void Reactor::wait_and_serve(Millis patience) {
  epoll_event events[128];
  const int count = epoll_wait(epoll_, events, std::size(events), static_cast<int>(patience.count()));
  for (int i = 0; i < count && !stopping_; ++i) {
    if (events[i].data.u64 == kListener) {
      accept_some();
    } else if (events[i].data.u64 == kMailbox) {
      for (const Mailbox::Letter& letter : mailbox_->take()) letter();
    } else {
      serve(events[i].data.u64, events[i].events);
    }
  }
}

template <class Do>
void Reactor::with_session(SessionId id, Do&& touch) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  touch(*found->second.session);
  settle(id);
}

void Reactor::serve(SessionId id, std::uint32_t events) {
  with_session(id, [&](Session& session) {
    // One that is not read from cannot learn from a read that its client has gone.
    if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0 && !session.reads()) return session.end("");
    session.step(clock_.now());
  });
}

void Reactor::settle(SessionId id) {
  Place& place = sessions_.at(id);
  const Session& session = *place.session;
  tally_.bytes_in += session.bytes_in() - std::exchange(place.bytes_in, session.bytes_in());
  tally_.bytes_out += session.bytes_out() - std::exchange(place.bytes_out, session.bytes_out());
  held_bytes_ += session.held_bytes();
  held_bytes_ -= std::exchange(place.held_bytes, session.held_bytes());
  if (place.is_counted_as_new && !session.key().empty()) {
    place.is_counted_as_new = false;
    --new_sessions_;
    ++tally_.authenticated;
    tally_.unauthenticated = new_sessions_;
  }
  if (session.is_over()) return drop(id);
  if (session.has_more_to_do()) again_.push_back(id);
  if (session.epoll_events() == place.events) return;
  place.events = session.epoll_events();
  epoll_event event = {place.events, {.u64 = id}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, session.fd(), &event);
}

void Reactor::drop(SessionId id) {
  const auto found = sessions_.find(id);
  const Place& place = found->second;
  held_bytes_ -= place.held_bytes;
  if (place.is_counted_as_new) --new_sessions_;
  const auto of_key = sessions_of_key_.find(place.session->key());
  if (of_key != sessions_of_key_.end() && --of_key->second == 0) sessions_of_key_.erase(of_key);
  sessions_.erase(found);
  tally_.unauthenticated = new_sessions_;
  tally_.sessions = sessions_.size();
}

void Reactor::accept_some() {
  for (int i = 0; i < kAcceptedAtOnce && new_sessions_ < options_.unauthenticated_max; ++i) {
    const Listener::Arrival arrival = listener_.accept();
    switch (arrival.kind) {
      case Listener::Arrival::Kind::kNobody: return;
      case Listener::Arrival::Kind::kTurnedAway:
        refused(Refusal::kDescriptors);
        others_wait_ = true;
        break;
      case Listener::Arrival::Kind::kNoDescriptors: out_of_descriptors_until_ = clock_.now() + kDescriptorsPause; return;
      case Listener::Arrival::Kind::kConnection: begin(arrival.fd);
    }
  }
}

void Reactor::begin(int fd) {
  ++tally_.accepted;
  if (sessions_.size() >= options_.sessions_max) {
    refused(Refusal::kSessions);
    others_wait_ = true;
    return listener_.turn_away(fd, "too many sessions, try again later");
  }
  const SessionId id = next_session_++;
  Result<std::unique_ptr<Session>> session = Session::accept(id, bind_.get(), fd, options_, *this, clock_.now());
  if (!session.ok()) return refused(Refusal::kSessions);
  Place& place = sessions_[id];
  place.session = std::move(session).value();
  place.events = EPOLLIN;
  ++new_sessions_;
  tally_.unauthenticated = new_sessions_;
  tally_.sessions = sessions_.size();
  epoll_event event = {place.events, {.u64 = id}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) place.session->end("the gateway has no room to wait for you");
  with_session(id, [&](Session& begun) { begun.step(clock_.now()); });
}

// The listener sleeps while there is no place for newcomers, so that what cannot be taken does not wake the loop; the kernel's
// backlog keeps them meanwhile.
void Reactor::watch_listener() {
  const bool may_listen = new_sessions_ < options_.unauthenticated_max && clock_.now() >= out_of_descriptors_until_;
  if (may_listen == is_listening_) return;
  is_listening_ = may_listen;
  epoll_event event = {may_listen ? std::uint32_t{EPOLLIN} : 0, {.u64 = kListener}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_.fd(), &event);
}

void Reactor::check_deadlines() {
  listener_.let_go();
  std::vector<SessionId> all;
  all.reserve(sessions_.size());
  for (const auto& [id, place] : sessions_) all.push_back(id);
  for (const SessionId id : all) with_session(id, [&](Session& session) { session.check_deadline(clock_.now()); });
  if (new_sessions_ >= options_.unauthenticated_max && listener_.somebody_waits()) others_wait_ = true;
  if (std::exchange(others_wait_, false)) make_room();
}

// A login is a few messages in as many milliseconds. Whoever holds a place in silence while others wait gives it up, so that idle
// connections cannot keep workers out.
void Reactor::make_room() {
  std::vector<SessionId> slow;
  for (const auto& [id, place] : sessions_) {
    if (place.session->lets_others_wait(clock_.now())) slow.push_back(id);
  }
  for (const SessionId id : slow) {
    refused(Refusal::kUnauthenticated);
    with_session(id, [](Session& session) { session.end("others wait for this place"); });
  }
}

void Reactor::look_up(SessionId session, const std::string& key) {
  calls_->submit([this, mailbox = mailbox_, session, key] {
    mailbox->post([this, session, worker = door_.worker_of(key)] {
      with_session(session, [&](Session& asker) { asker.looked_up(worker, clock_.now()); });
    });
  });
}

void Reactor::ask(SessionId session, ChannelId channel, const std::string& key, Ask ask, ChannelStanding standing) {
  auto answer = [this, mailbox = mailbox_, session, channel, number = ask.number](Result<std::string> given) {
    mailbox->post([this, session, channel, number, given = std::move(given)]() mutable {
      with_session(session, [&](Session& asker) { asker.answered(channel, number, std::move(given), clock_.now()); });
    });
  };
  auto shared_ask = std::make_shared<Ask>(std::move(ask));
  calls_->submit([this, mailbox = mailbox_, session, channel, key, shared_ask, standing = std::move(standing), answer] {
    if (shared_ask->call) {
      answer(door_.call(key, *shared_ask->call));
    } else {
      Result<std::string> frame = std::move(shared_ask->frame);
      if (shared_ask->may_be_short) frame = complete_frame(std::move(frame).value(), *standing);
      frame.ok() ? door_.sync(key, std::move(frame).value(), answer) : answer(frame.error());
    }
    mailbox->post([this, session, channel] { with_session(session, [&](Session& asker) { asker.passed_on(channel, clock_.now()); }); });
  });
}

bool Reactor::admit(const std::string& key) {
  std::size_t& count = sessions_of_key_[key];
  if (count >= options_.sessions_per_key_max) return false;
  ++count;
  return true;
}

void Reactor::refused(Refusal why) { ++tally_.refused[static_cast<std::size_t>(why)]; }

GatewayCounters Reactor::counters() const {
  GatewayCounters now;
  now.accepted = tally_.accepted;
  now.authenticated = tally_.authenticated;
  std::copy(tally_.refused.begin(), tally_.refused.end(), now.refused.begin());
  now.sessions = tally_.sessions;
  now.unauthenticated = tally_.unauthenticated;
  now.bytes_in = tally_.bytes_in;
  now.bytes_out = tally_.bytes_out;
  return now;
}

}  // namespace reclaim::gateway
