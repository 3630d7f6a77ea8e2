#include "gateway/session.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/host_key.hpp"

namespace reclaim::gateway {
namespace {

constexpr int kLoginsMax = 20;
constexpr std::size_t kChannelsMax = 8;
constexpr std::size_t kEarlyBytesMax = std::size_t{64} << 10;  // sent before a command says what they are for
constexpr std::size_t kWriteBytes = std::size_t{32} << 10;
constexpr int kRoundsMax = 16;    // of one step, then it is another session's turn
constexpr int kMessagesMax = 64;  // of one round

struct PublicKeyLogin {
  ssh_key key;
  bool is_signed;
};

// libssh deprecates these two in favour of callbacks that have to decide at once; see the head of session.hpp.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
std::optional<PublicKeyLogin> public_key_login(ssh_message message) {
  if (ssh_message_subtype(message) != SSH_AUTH_METHOD_PUBLICKEY) return std::nullopt;
  ssh_key key = ssh_message_auth_pubkey(message);
  const ssh_publickey_state_e state = ssh_message_auth_publickey_state(message);
  if (key == nullptr || (state != SSH_PUBLICKEY_STATE_NONE && state != SSH_PUBLICKEY_STATE_VALID)) return std::nullopt;
  return PublicKeyLogin{key, state == SSH_PUBLICKEY_STATE_VALID};
}
#pragma GCC diagnostic pop

constexpr std::uint32_t kPacketBytesMin = 1024;

// How ssh_channel_struct begins in libssh 0.8 to 0.11.
struct ChannelHead {
  ssh_session session;
  std::uint32_t local_channel;
  std::uint32_t local_window;
  int local_eof;
  std::uint32_t local_maxpacket;
  std::uint32_t remote_channel;
  std::uint32_t remote_window;
  int remote_eof;
  std::uint32_t remote_maxpacket;
};

// libssh cuts what it writes into packets of ten bytes less than the client announced, and believes any number: to one that announced
// ten it would send empty packets until it has filled 256 MiB, and everybody would wait. There is no getter for the number, so it is
// read where libssh keeps it, provided that what lies around it is what must be there.
bool speaks_tiny_packets(ssh_channel channel) {
  ChannelHead head = {};
  std::memcpy(&head, static_cast<const void*>(channel), sizeof head);
  const bool is_known = head.session == ssh_channel_get_session(channel) && head.local_eof == 0 && head.remote_eof == 0 &&
                        head.remote_window == ssh_channel_window_size(channel) && head.local_maxpacket >= kPacketBytesMin;
  return is_known && head.remote_maxpacket < kPacketBytesMin;
}

}  // namespace

struct Session::Channel {
  ChannelId id;
  Session* session;
  ssh_channel ssh;
  ssh_channel_callbacks_struct callbacks = {};
  std::optional<Exchange> exchange;  // once there is a command
  ChannelStanding standing = std::make_shared<std::optional<wire::Standing>>();
  std::string early;  // input that came in one packet with the command, before it was read
  bool input_ended = false;
  bool wants_terminal = false;
  bool status_sent = false;
  bool closed_here = false;
  bool closed_there = false;
};

Result<std::unique_ptr<Session>> Session::accept(SessionId id, ssh_bind bind, int fd, const GatewayOptions& options, SessionHost& host,
                                                 Instant now) {
  std::unique_ptr<ssh_session_struct, SessionDeleter> ssh(ssh_new());
  if (ssh == nullptr) {
    ::close(fd);
    return unavailable("no memory for a session");
  }
  ssh_set_blocking(ssh.get(), 0);
  ssh_options_set(ssh.get(), SSH_OPTIONS_COMPRESSION, "no");  // a window of 256 KiB a session, and bombs
  if (ssh_bind_accept_fd(bind, ssh.get(), fd) != SSH_OK) {
    if (ssh_get_fd(ssh.get()) != fd) ::close(fd);
    return unavailable(std::string("cannot begin a session: ") + ssh_get_error(bind));
  }
  ssh_set_auth_methods(ssh.get(), SSH_AUTH_METHOD_PUBLICKEY);
  return std::unique_ptr<Session>(new Session(id, ssh.release(), fd, options, host, now));
}

Session::Session(SessionId id, ssh_session ssh, int fd, const GatewayOptions& options, SessionHost& host, Instant now)
    : id_(id), fd_(fd), options_(options), host_(host), since_(now), last_active_(now), ssh_(ssh) {
  ssh_set_counters(ssh_.get(), &traffic_, nullptr);
}

Session::~Session() {
  for (const auto& channel : channels_) ssh_remove_channel_callbacks(channel->ssh, &channel->callbacks);
  pending_login_.reset();
  if (!end_reason_.empty() && is_encrypted_ && ssh_is_connected(ssh_.get()) != 0) tell_why();
}

// A disconnect message is for who has logged in. To the others the reason goes as a banner, which the stock client shows, because
// libssh's own client waits for ever after a disconnect in the middle of its login.
void Session::tell_why() {
  ssh_set_fd_towrite(ssh_.get());  // there is no later: what the socket does not take now is lost
  if (!key_.empty()) {
    ssh_session_set_disconnect_message(ssh_.get(), end_reason_.c_str());
    return ssh_disconnect(ssh_.get());
  }
  ssh_string banner = ssh_string_from_char(("reclaim: " + end_reason_ + "\n").c_str());
  if (banner != nullptr) ssh_send_issue_banner(ssh_.get(), banner);
  ssh_string_free(banner);
}

void Session::end(std::string why) {
  if (is_over_) return;
  is_over_ = true;
  end_reason_ = std::move(why);
}

bool Session::is_writing() const { return (ssh_get_status(ssh_.get()) & SSH_WRITE_PENDING) != 0; }

// A client that does not read its answers, or sends frames faster than they are answered, is not read from: what it has cost so far
// is all that it can cost.
bool Session::reads() const {
  if (pending_login_ || is_writing()) return false;
  return std::none_of(channels_.begin(), channels_.end(),
                      [](const auto& channel) { return channel->exchange && channel->exchange->is_full(); });
}

std::uint32_t Session::epoll_events() const {
  std::uint32_t events = EPOLLRDHUP;
  if (!pending_login_ && (ssh_get_poll_flags(ssh_.get()) & SSH_WRITE_PENDING) != 0) events |= EPOLLOUT;
  if (reads()) events |= EPOLLIN;
  return events;
}

std::size_t Session::held_bytes() const {
  std::size_t held = 0;
  for (const auto& channel : channels_) held += channel->early.size() + (channel->exchange ? channel->exchange->held_bytes() : 0);
  return held;
}

void Session::step(Instant now) {
  if (is_over_ || pending_login_) return;
  const ssh_counter_struct before = traffic_;
  const bool was_writing = is_writing();
  has_more_to_do_ = false;
  bool is_active = (is_encrypted_ || shake_hands()) && work();
  // Before the login every byte counts; after it only requests and answers do: keepalives keep no session.
  if (key_.empty() && traffic_.in_bytes != before.in_bytes) is_active = true;
  if (was_writing && traffic_.out_bytes != before.out_bytes) is_active = true;
  if (is_active || has_more_to_do_) last_active_ = now;
}

bool Session::work() {
  bool worked = false;
  for (int round = 0; round < kRoundsMax; ++round) {
    bool did_something = take_messages();
    for (const auto& channel : channels_) {
      if (!is_over_ && advance(*channel)) did_something = true;
    }
    worked = worked || did_something;
    if (is_over_ || !did_something) return worked;
  }
  has_more_to_do_ = true;
  return worked;
}

bool Session::shake_hands() {
  const int rc = ssh_handle_key_exchange(ssh_.get());
  if (rc == SSH_ERROR) is_over_ = true;
  is_encrypted_ = rc == SSH_OK;
  return is_encrypted_;
}

bool Session::take_messages() {
  bool took = false;
  for (int count = 0; count < kMessagesMax && !pending_login_ && !is_over_; ++count) {
    Message message(ssh_message_get(ssh_.get()));
    if (ssh_is_connected(ssh_.get()) == 0 || (ssh_get_status(ssh_.get()) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0) {
      is_over_ = true;
      return true;
    }
    if (message == nullptr) {
      // Only here no message is left that names a channel which libssh would free under it.
      free_closed_channels();
      return took;
    }
    took = true;
    take(std::move(message));
  }
  return took;
}

void Session::take(Message message) {
  switch (ssh_message_type(message.get())) {
    case SSH_REQUEST_AUTH: return take_login(std::move(message));
    case SSH_REQUEST_CHANNEL_OPEN: return take_channel_open(std::move(message));
    case SSH_REQUEST_CHANNEL: return take_channel_request(std::move(message));
    default: ssh_message_reply_default(message.get());  // grants services, refuses global requests (forwarding)
  }
}

void Session::take_login(Message message) {
  if (++logins_ > kLoginsMax) return end("too many login attempts");
  const std::optional<PublicKeyLogin> login = public_key_login(message.get());
  const std::string key = login ? text_of(login->key) : "";
  if (key.empty()) {
    if (ssh_message_subtype(message.get()) != SSH_AUTH_METHOD_NONE) host_.refused(Refusal::kLogin);  // `none` only asks what is possible
    ssh_message_reply_default(message.get());
    return;
  }
  if (key == approved_key_) return grant(std::move(message));
  pending_login_ = std::move(message);
  host_.look_up(id_, key);
}

void Session::looked_up(const Result<WorkerName>& worker, Instant now) {
  if (is_over_ || !pending_login_) return;
  Message message = std::move(pending_login_);
  if (worker.ok()) {
    approved_key_ = text_of(public_key_login(message.get())->key);
    grant(std::move(message));
  } else if (worker.error().kind == Error::Kind::kUnauthenticated) {
    host_.refused(Refusal::kLogin);
    ssh_message_reply_default(message.get());
  } else {
    end("the server is away, try again later");
  }
  step(now);
}

void Session::grant(Message message) {
  if (!public_key_login(message.get())->is_signed) {
    ssh_message_auth_reply_pk_ok_simple(message.get());
    return;
  }
  if (!host_.admit(approved_key_)) {
    host_.refused(Refusal::kSessionsOfKey);
    return end("too many sessions with this key");
  }
  key_ = approved_key_;
  ssh_message_auth_reply_success(message.get(), 0);
}

void Session::take_channel_open(Message message) {
  if (ssh_message_subtype(message.get()) != SSH_CHANNEL_SESSION || key_.empty() || channels_.size() >= kChannelsMax) {
    ssh_message_reply_default(message.get());
    return;
  }
  ssh_channel opened = ssh_message_channel_request_open_reply_accept(message.get());
  if (opened == nullptr) return end("no memory for a channel");
  if (speaks_tiny_packets(opened)) return end("packets that small are not spoken here");
  auto channel = std::make_unique<Channel>();
  channel->id = next_channel_++;
  channel->session = this;
  channel->ssh = opened;
  channel->callbacks.userdata = channel.get();
  channel->callbacks.channel_data_function = on_data;
  channel->callbacks.channel_eof_function = on_end;
  channel->callbacks.channel_close_function = on_close;
  ssh_callbacks_init(&channel->callbacks);
  if (ssh_set_channel_callbacks(opened, &channel->callbacks) != SSH_OK) return end("no memory for a channel");
  channels_.push_back(std::move(channel));
}

void Session::take_channel_request(Message message) {
  Channel* channel = find(ssh_message_channel_request_channel(message.get()));
  const int type = ssh_message_subtype(message.get());
  if (channel != nullptr && type == SSH_CHANNEL_REQUEST_PTY) channel->wants_terminal = true;
  if (channel != nullptr && type == SSH_CHANNEL_REQUEST_EXEC && !channel->exchange && !channel->wants_terminal) {
    return take_exec(*channel, std::move(message));
  }
  // Refused: terminals, shells, subsystems, environment, a second command; and a command after a terminal, because the client gives
  // up over the terminal and would never learn what its command did.
  ssh_message_reply_default(message.get());
}

void Session::take_exec(Channel& channel, Message message) {
  const char* text = ssh_message_channel_request_command(message.get());
  const std::string command_text = text == nullptr ? "" : text;
  const std::optional<Command> command = parse_command(command_text);
  ssh_message_channel_request_reply_success(message.get());
  channel.exchange.emplace(command.value_or(Command::kSync), options_.frame_bytes_max);
  if (!command) {
    channel.exchange->err.add("reclaim: unknown command `" + command_text.substr(0, 64) + "`; known: " + std::string(kKnownCommands) +
                              "\n");
    channel.exchange->exit_status = kExitUsage;
  }
  channel.exchange->feed(std::exchange(channel.early, {}));
  if (channel.input_ended) channel.exchange->feed_end();
}

int Session::on_data(ssh_session, ssh_channel, void* data, std::uint32_t length, int is_stderr, void* user) {
  Channel& channel = *static_cast<Channel*>(user);
  Session& session = *channel.session;
  const std::string_view bytes(static_cast<const char*>(data), length);
  session.has_more_to_do_ = true;
  if (is_stderr != 0) return static_cast<int>(length);
  if (!channel.exchange) {
    channel.early.append(bytes);
    if (channel.early.size() > kEarlyBytesMax) session.end("input without a command");
  } else if (!session.host_.may_hold_more()) {
    channel.exchange->fail(unavailable("the gateway holds as many unanswered frames as it may; try again later"));
  } else {
    channel.exchange->feed(bytes);
  }
  return static_cast<int>(length);  // all of it, always: what libssh kept for us would have no bound
}

void Session::on_end(ssh_session, ssh_channel, void* user) {
  Channel& channel = *static_cast<Channel*>(user);
  channel.input_ended = true;
  if (channel.exchange) channel.exchange->feed_end();
}

void Session::on_close(ssh_session, ssh_channel, void* user) { static_cast<Channel*>(user)->closed_there = true; }

bool Session::advance(Channel& channel) {
  if (!channel.exchange || channel.closed_there) return false;
  Exchange& exchange = *channel.exchange;
  bool did_something = false;
  while (std::optional<Ask> ask = exchange.next_ask()) {
    host_.ask(id_, channel.id, key_, std::move(*ask), channel.standing);
    did_something = true;
  }
  if (write_out(channel, exchange.out, false)) did_something = true;
  if (write_out(channel, exchange.err, true)) did_something = true;
  if (exchange.exit_status && exchange.out.empty() && exchange.err.empty() && close(channel)) did_something = true;
  return did_something;
}

// One packet's worth at a time while the socket takes it: libssh buffers whatever the client's window allows, and the window is the
// client's to choose.
bool Session::write_out(Channel& channel, Outbox& box, bool to_stderr) {
  bool wrote = false;
  while (!box.empty() && !is_writing() && ssh_channel_window_size(channel.ssh) > 0) {
    const std::string_view bytes = box.rest().substr(0, kWriteBytes);
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const int sent =
        to_stderr ? ssh_channel_write_stderr(channel.ssh, bytes.data(), size) : ssh_channel_write(channel.ssh, bytes.data(), size);
    if (sent < 0) end("cannot write to the channel");
    if (sent <= 0) return wrote;
    box.sent(static_cast<std::size_t>(sent));
    wrote = true;
  }
  return wrote;
}

bool Session::close(Channel& channel) {
  if (channel.closed_here || is_writing()) return false;
  if (!channel.status_sent) ssh_channel_request_send_exit_status(channel.ssh, *channel.exchange->exit_status);
  channel.status_sent = true;
  channel.closed_here = ssh_channel_close(channel.ssh) == SSH_OK;
  return true;  // a call that stopped after its end-of-file is made again
}

// Not before the client has closed it too: libssh keeps a channel that is free on one side only, and still queues its messages.
void Session::free_closed_channels() {
  std::erase_if(channels_, [](const std::unique_ptr<Channel>& channel) {
    if (!channel->closed_there) return false;
    ssh_remove_channel_callbacks(channel->ssh, &channel->callbacks);
    ssh_channel_free(channel->ssh);
    return true;
  });
}

Session::Channel* Session::find(ssh_channel ssh) {
  const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const auto& channel) { return channel->ssh == ssh; });
  return found == channels_.end() ? nullptr : found->get();
}

Session::Channel* Session::find(ChannelId id) {
  const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const auto& channel) { return channel->id == id; });
  return found == channels_.end() ? nullptr : found->get();
}

void Session::passed_on(ChannelId id, Instant now) {
  Channel* channel = find(id);
  if (channel == nullptr || !channel->exchange) return;
  channel->exchange->passed_on();
  step(now);
}

void Session::answered(ChannelId id, std::uint64_t number, Result<std::string> answer, Instant now) {
  Channel* channel = find(id);
  if (channel == nullptr || !channel->exchange) return;
  channel->exchange->answered(number, std::move(answer));
  last_active_ = now;
  step(now);
}

bool Session::lets_others_wait(Instant now) const {
  return key_.empty() && !pending_login_ && now - last_active_ >= options_.unauthenticated_grace;
}

void Session::check_deadline(Instant now) {
  if (is_over_) return;
  if (key_.empty()) {
    if (now - since_ < options_.login_timeout) return;
    host_.refused(Refusal::kLoginTimeout);
    return end("no login in time");
  }
  bool follows = false;
  for (const auto& channel : channels_) {
    if (!channel->exchange) continue;
    const bool is_held = channel->exchange->is_waiting_for_door() && channel->exchange->out.empty();
    if (is_held) return;
    follows = follows || channel->exchange->command() == Command::kFollow;
  }
  if (now - last_active_ >= (follows ? options_.follow_idle_timeout : options_.idle_timeout)) end("idle for too long");
}

}  // namespace reclaim::gateway
