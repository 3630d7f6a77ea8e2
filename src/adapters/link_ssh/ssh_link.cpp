#include "adapters/link_ssh/ssh_link.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include "wire/json.hpp"

namespace reclaim::link_ssh {
namespace {

constexpr std::size_t kAnswerMax = 64U << 20U;
constexpr std::size_t kProblemMax = 64U << 10U;

// Others must not be able to read the key: it is what makes this machine this worker.
Status check_private(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return invalid("key", "cannot read the key " + path);
  if (!S_ISREG(found.st_mode)) return invalid("key", path + " is not a file");
  if ((found.st_mode & 077U) != 0) return invalid("key", "others may read the key " + path + ": chmod 600 it");
  return done();
}

// What came instead of an answer: a problem object, or whatever else was said.
Error error_of(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const auto last = text.rfind('\n');
  const std::string_view line = last == std::string_view::npos ? text : text.substr(last + 1);
  if (auto json = wire::parse_json(line); json.ok() && json.value().is_object()) {
    return wire::parse_problem(json.value().value("status", wire::Json()).is_number_integer() ? json.value()["status"].get<int>() : 0,
                               line);
  }
  return unavailable(line.empty() ? "the gateway ended the exchange without an answer" : "the gateway said: " + std::string(line));
}

// A problem names its type; an answer has none.
bool is_problem(std::string_view line) {
  auto json = wire::parse_json(line);
  return json.ok() && json.value().is_object() && json.value().contains("type");
}

std::string frame_of(const wire::SyncRequest& request, bool is_known) {
  if (!request.same || !is_known) return wire::to_json(request) + "\n";
  wire::SyncRequest shorter = request;
  shorter.session.clear();
  shorter.incarnation.clear();
  shorter.started = 0;
  return wire::to_json(shorter) + "\n";
}

}  // namespace

void SshLink::SessionDeleter::operator()(ssh_session session) const {
  ssh_disconnect(session);
  ssh_free(session);
}

void SshLink::ChannelDeleter::operator()(ssh_channel channel) const {
  ssh_channel_close(channel);
  ssh_channel_free(channel);
}

Result<std::unique_ptr<SshLink>> SshLink::open(SshLinkOptions options, const Clock& clock) {
  std::unique_ptr<SshLink> link(new SshLink(std::move(options), clock));
  link->interrupt_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (link->interrupt_fd_ < 0) return unavailable("cannot make an eventfd");
  TRY(link->load_keys());
  return link;
}

SshLink::~SshLink() {
  disconnect();
  if (interrupt_fd_ >= 0) close(interrupt_fd_);
}

Status SshLink::load_keys() {
  TRY(check_private(options_.key_file));
  ssh_key key = nullptr;
  if (ssh_pki_import_privkey_file(options_.key_file.c_str(), nullptr, nullptr, nullptr, &key) != SSH_OK) {
    return invalid("key", options_.key_file + " is not a private key without a passphrase");
  }
  key_.reset(key);
  if (!options_.gateway_fingerprint.empty()) {
    if (options_.gateway_fingerprint.starts_with("SHA256:")) return done();
    return invalid("gateway-fingerprint", "must begin with SHA256:");
  }
  if (ssh_pki_import_pubkey_file(options_.gateway_key_file.c_str(), &key) != SSH_OK) {
    return invalid("gateway-key", options_.gateway_key_file + " is not a public key");
  }
  gateway_key_.reset(key);
  return done();
}

Error SshLink::broken(const std::string& doing) const {
  return unavailable(doing + " the gateway at " + options_.host + ":" + std::to_string(options_.port) +
                     " failed: " + (session_ ? ssh_get_error(session_.get()) : "no session"));
}

void SshLink::disconnect() {
  standing_.reset();
  standing_session_.clear();
  unread_.clear();
  session_.reset();
}

Status SshLink::connect() {
  if (session_ && ssh_is_connected(session_.get()) != 0) return done();
  disconnect();
  Session session(ssh_new());
  if (!session) return unavailable("no memory for an SSH session");
  const long seconds = std::max<long>(1, options_.connect_timeout.count() / 1000);
  const int no = 0;
  const int yes = 1;
  ssh_options_set(session.get(), SSH_OPTIONS_PROCESS_CONFIG, &no);
  ssh_options_set(session.get(), SSH_OPTIONS_HOST, options_.host.c_str());
  ssh_options_set(session.get(), SSH_OPTIONS_PORT, &options_.port);
  ssh_options_set(session.get(), SSH_OPTIONS_USER, options_.worker.c_str());
  ssh_options_set(session.get(), SSH_OPTIONS_TIMEOUT, &seconds);
  ssh_options_set(session.get(), SSH_OPTIONS_NODELAY, &yes);
  session_ = std::move(session);
  if (ssh_connect(session_.get()) != SSH_OK) {
    const Error error = broken("connecting to");
    disconnect();
    return error;
  }
  if (Status verified = verify_gateway(session_.get()); !verified.ok()) {
    disconnect();
    return verified;
  }
  const int authenticated = ssh_userauth_publickey(session_.get(), nullptr, key_.get());
  if (authenticated == SSH_AUTH_SUCCESS) return done();
  const Error error = authenticated == SSH_AUTH_DENIED || authenticated == SSH_AUTH_PARTIAL
                          ? unauthenticated("the gateway does not know the key " + options_.key_file + ": enroll it")
                          : broken("authenticating to");
  disconnect();
  return error;
}

Status SshLink::verify_gateway(ssh_session session) const {
  ssh_key shown = nullptr;
  if (ssh_get_server_publickey(session, &shown) != SSH_OK) return broken("asking the key of");
  const Key key(shown);
  if (gateway_key_) {
    if (ssh_key_cmp(key.get(), gateway_key_.get(), SSH_KEY_CMP_PUBLIC) == 0) return done();
    return forbidden("the gateway's key is not the one in " + options_.gateway_key_file + ": refused to talk to it");
  }
  unsigned char* hash = nullptr;
  std::size_t length = 0;
  if (ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != SSH_OK) return broken("hashing the key of");
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
  const std::string fingerprint = text == nullptr ? "" : text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  if (fingerprint == options_.gateway_fingerprint) return done();
  return forbidden("the gateway's key has the fingerprint " + fingerprint + ", not the given one: refused to talk to it");
}

Result<SshLink::Channel> SshLink::open_channel(const char* command) {
  TRY(connect());
  Channel channel(ssh_channel_new(session_.get()));
  if (channel && ssh_channel_open_session(channel.get()) == SSH_OK && ssh_channel_request_exec(channel.get(), command) == SSH_OK) {
    return channel;
  }
  const Error error = broken("opening a channel to");
  channel.reset();
  disconnect();
  return error;
}

Result<wire::SyncAnswer> SshLink::exchange(const wire::SyncRequest& request) {
  const Instant deadline = clock_.now() + Millis(request.wait_ms) + options_.answer_timeout;
  // The gateway ends channels that nobody used for long.
  if (standing_ && (ssh_channel_poll(standing_.get(), 0) < 0 || ssh_channel_is_eof(standing_.get()) != 0)) standing_.reset();
  if (!standing_) {
    standing_ = TRY(open_channel("sync --follow"));
    standing_session_.clear();
    unread_.clear();
  }
  auto line = exchange_line(frame_of(request, standing_session_ == request.session), deadline);
  if (!line.ok()) {
    standing_.reset();
    if (line.error().kind != Error::Kind::kUnauthenticated) return line.error();
    disconnect();
    return line.error();
  }
  standing_session_ = request.session;
  if (is_problem(line.value())) return error_of(line.value());
  return wire::parse_sync_answer(line.value());
}

Result<std::string> SshLink::exchange_line(const std::string& frame, Instant deadline) {
  const int written = ssh_channel_write(standing_.get(), frame.data(), static_cast<std::uint32_t>(frame.size()));
  if (written != static_cast<int>(frame.size())) {
    if (ssh_channel_is_eof(standing_.get()) != 0 || ssh_channel_is_closed(standing_.get()) != 0)
      return problem_of(standing_.get(), deadline);
    const Error error = broken("sending to");
    disconnect();
    return error;
  }
  return read_line(deadline);
}

Result<std::string> SshLink::read_line(Instant deadline) {
  std::array<char, 65536> part{};
  for (;;) {
    if (const auto end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    if (unread_.size() > kAnswerMax) return too_large("the gateway's answer is larger than " + std::to_string(kAnswerMax) + " bytes");
    const int got = ssh_channel_read_nonblocking(standing_.get(), part.data(), part.size(), 0);
    if (got > 0) {
      unread_.append(part.data(), static_cast<std::size_t>(got));
    } else if (got == SSH_EOF || ssh_channel_is_eof(standing_.get()) != 0) {
      return problem_of(standing_.get(), deadline);
    } else if (got < 0) {
      const Error error = broken("hearing from");
      disconnect();
      return error;
    } else {
      TRY(wait_for_bytes(deadline));
    }
  }
}

Status SshLink::wait_for_bytes(Instant deadline) {
  const Millis left = deadline - clock_.now();
  if (left <= Millis(0)) return unavailable("the gateway did not answer in time");
  std::array<pollfd, 2> wait{pollfd{ssh_get_fd(session_.get()), POLLIN, 0}, pollfd{interrupt_fd_, POLLIN, 0}};
  poll(wait.data(), wait.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
  std::uint64_t count = 0;
  if (wait[1].revents != 0 && read(interrupt_fd_, &count, sizeof(count)) == sizeof(count)) return unavailable("interrupted");
  return done();
}

// A channel that ended without its answer says why on stderr, as one line of problem+json.
Error SshLink::problem_of(ssh_channel channel, Instant deadline) {
  std::string text;
  std::array<char, 4096> part{};
  while (text.size() < kProblemMax) {
    const auto patience = std::clamp<std::int64_t>((deadline - clock_.now()).count(), 0, 5'000);
    const int got = ssh_channel_read_timeout(channel, part.data(), part.size(), 1, static_cast<int>(patience));
    if (got <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return error_of(text);
}

Result<std::string> SshLink::call(const char* command) {
  const Instant deadline = clock_.now() + options_.answer_timeout;
  const Channel channel = TRY(open_channel(command));
  ssh_channel_send_eof(channel.get());
  std::string answer;
  std::array<char, 65536> part{};
  for (;;) {
    const Millis left = deadline - clock_.now();
    if (left <= Millis(0)) return unavailable("the gateway did not answer in time");
    const int got = ssh_channel_read_timeout(channel.get(), part.data(), part.size(), 0, static_cast<int>(left.count()));
    if (got > 0) answer.append(part.data(), static_cast<std::size_t>(got));
    if (got < 0) return broken("hearing from");
    if (answer.size() > kAnswerMax) return too_large("the gateway's answer is larger than " + std::to_string(kAnswerMax) + " bytes");
    // Not ssh_channel_is_eof(), which says no while there is something on stderr.
    if (got == 0 && ssh_channel_poll(channel.get(), 0) == SSH_EOF) break;
  }
  if (answer.find_first_not_of(" \r\n") == std::string::npos) return problem_of(channel.get(), deadline);
  return answer;
}

Status SshLink::heartbeat() {
  TRY(call("heartbeat"));
  return done();
}

Status SshLink::land() {
  TRY(call("land"));
  return done();
}

Status SshLink::retire() {
  TRY(call("retire"));
  return done();
}

Result<std::string> SshLink::status() { return call("status"); }

void SshLink::interrupt() {
  const std::uint64_t one = 1;
  check(write(interrupt_fd_, &one, sizeof(one)) == sizeof(one), "eventfd write");
}

}  // namespace reclaim::link_ssh
