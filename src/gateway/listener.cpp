#include "gateway/listener.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "runtime/descriptors.hpp"

namespace reclaim::gateway {
namespace {

constexpr int kBacklog = 65535;           // the kernel cuts it to net.core.somaxconn
constexpr std::size_t kLeavingMax = 16;   // turned away and still open; twice as many at most
constexpr std::size_t kLeavingPart = 40;  // of all descriptors, where those are few: what is left to others is not for who leaves
constexpr std::string_view kNoDescriptors = "out of descriptors, try again later";

void put_number(std::string& packet, std::size_t number) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) packet.push_back(static_cast<char>((number >> shift) & 0xffU));
}

void put_text(std::string& packet, std::string_view text) {
  put_number(packet, text.size());
  packet.append(text);
}

// A server's banner and a disconnect, which goes in the clear because no keys are agreed on yet (RFC 4253, 6 and 11.1).
std::string farewell(std::string_view why) {
  constexpr char kDisconnect = 1;
  constexpr std::size_t kTooManyConnections = 12;
  std::string payload(1, kDisconnect);
  put_number(payload, kTooManyConnections);
  put_text(payload, why);
  put_text(payload, "");
  const std::size_t padding = 4 + (8 - (5 + payload.size() + 4) % 8) % 8;
  std::string packet;
  put_number(packet, 1 + payload.size() + padding);
  packet.push_back(static_cast<char>(padding));
  return "SSH-2.0-reclaim\r\n" + packet + payload + std::string(padding, '\0');
}

int bind_first(const addrinfo* addresses) {
  int error = 0;
  for (const addrinfo* at = addresses; at != nullptr; at = at->ai_next) {
    const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      error = errno;
      continue;
    }
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
    error = errno;
    close(fd);
  }
  errno = error;
  return -1;
}

// Latency first (without TCP_NODELAY a session takes 88 ms instead of 1), and a peer that is gone without a word is noticed.
void tune(int fd) {
  const int on = 1;
  const int idle_s = 30;
  const int interval_s = 10;
  const int count = 3;
  const int unacknowledged_ms = 60'000;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
}

}  // namespace

Listener::~Listener() {
  close_all(turned_away_);
  close_all(leaving_);
  if (fd_ >= 0) close(fd_);
  if (spare_ >= 0) close(spare_);
}

Status Listener::open(const std::string& host, int port, std::size_t descriptors_left) {
  descriptors_left_ = descriptors_left;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int rc = getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (rc != 0) return invalid("listen", "cannot listen on " + host + ": " + gai_strerror(rc));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  fd_ = bind_first(addresses.get());
  if (fd_ < 0) return unavailable("cannot listen on " + host + ":" + std::to_string(port) + ": " + std::strerror(errno));
  hold_spare();
  return done();
}

int Listener::port() const {
  sockaddr_storage bound = {};
  socklen_t length = sizeof bound;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&bound);
  const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(&bound);
  return ntohs(bound.ss_family == AF_INET6 ? ipv6->sin6_port : ipv4->sin_port);
}

void Listener::hold_spare() {
  if (spare_ < 0) spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

Listener::Arrival Listener::accept() {
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0 && runtime::leaves_descriptors(fd, descriptors_left_)) {
    tune(fd);
    return {Arrival::Kind::kConnection, fd};
  }
  if (fd >= 0) {
    turn_away(fd, kNoDescriptors);
    return {Arrival::Kind::kTurnedAway};
  }
  if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return {Arrival::Kind::kNobody};
  if (!somebody_waits()) return {Arrival::Kind::kNobody};
  close_all(turned_away_);
  close_all(leaving_);
  if (spare_ >= 0) close(std::exchange(spare_, -1));
  const int extra = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (extra >= 0) turn_away(extra, kNoDescriptors);
  hold_spare();
  return {extra >= 0 ? Arrival::Kind::kTurnedAway : Arrival::Kind::kNoDescriptors};
}

bool Listener::somebody_waits() const {
  pollfd asked = {fd_, POLLIN, 0};
  return poll(&asked, 1, 0) == 1;
}

void Listener::turn_away(int fd, std::string_view why) {
  const std::string told = farewell(why);
  [[maybe_unused]] const ssize_t sent = send(fd, told.data(), told.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(fd, SHUT_WR);
  // Closed at once, it would answer the client's next words with a reset, and the client reports that instead of what it was told.
  turned_away_.push_back(fd);
  if (turned_away_.size() <= std::min(kLeavingMax, runtime::descriptor_limit() / kLeavingPart)) return;
  close(turned_away_.front());
  turned_away_.pop_front();
}

void Listener::let_go() {
  close_all(leaving_);
  leaving_.swap(turned_away_);
  hold_spare();
}

void Listener::close_all(std::deque<int>& connections) {
  for (const int fd : connections) close(fd);
  connections.clear();
}

}  // namespace reclaim::gateway
