// A requester on loopback that does exactly what a test wants, byte for byte. Each connection has a thread; nothing outlives the target.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace reclaim::test {

struct Received {
  std::string line;                            // POST /path HTTP/1.1
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string path() const { return line.substr(5, line.rfind(' ') - 5); }
};

inline std::string answer(int status, const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) + " What\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Connection {
 public:
  explicit Connection(int descriptor) : descriptor_(descriptor) {}

  // False once the other side has gone.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // What is unread makes the end a reset.
  void reset() const {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  // Returns when the other side has had enough, or the target ends.
  void hang() {
    while (receive()) {
    }
  }
  bool read(Received& received) {
    const std::string head = read_to("\r\n\r\n");
    if (head.empty()) return false;
    received = {.line = head.substr(0, head.find("\r\n"))};
    for (std::size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
      const std::size_t end = head.find("\r\n", at);
      const std::size_t colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      received.headers[name] = head.substr(std::min(colon + 2, end), end - std::min(colon + 2, end));
      at = end + 2;
    }
    const std::size_t size = received.headers.contains("content-length") ? std::stoul(received.headers["content-length"]) : 0;
    while (pending_.size() < size) {
      if (!receive()) return false;
    }
    received.body = pending_.substr(0, size);
    pending_.erase(0, size);
    return true;
  }

 private:
  bool receive() {
    char bytes[65536];
    const ssize_t received = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (received > 0) pending_.append(bytes, static_cast<std::size_t>(received));
    return received > 0;
  }
  std::string read_to(std::string_view mark) {
    while (pending_.find(mark) == std::string::npos) {
      if (!receive()) return "";
    }
    const std::size_t end = pending_.find(mark) + mark.size();
    std::string head = pending_.substr(0, end);
    pending_.erase(0, end);
    return head;
  }

  const int descriptor_;
  std::string pending_;
};

// What the target does with a report. True: the connection goes on.
using Script = std::function<bool(Connection&, const Received&)>;

class HttpTarget {
 public:
  explicit HttpTarget(Script script, int family = AF_INET) : script_(std::move(script)), is_ipv6_(family == AF_INET6) {
    listener_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 address{};
    socklen_t size = is_ipv6_ ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    if (is_ipv6_) {
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
    } else {
      auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&address);
      ipv4->sin_family = AF_INET;
      ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 512), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin6_port);  // at the same place in both
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~HttpTarget() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
    }
    threads_.clear();
  }
  HttpTarget(const HttpTarget&) = delete;
  HttpTarget& operator=(const HttpTarget&) = delete;

  std::uint16_t port() const { return port_; }
  std::string host() const { return is_ipv6_ ? "[::1]" : "127.0.0.1"; }
  std::string url(const std::string& path = "/") const { return "http://" + host() + ":" + std::to_string(port_) + path; }
  std::vector<Received> received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  void accept_all() {
    for (;;) {
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) return;
      const std::lock_guard lock(mutex_);
      ++connections_;
      open_.push_back(descriptor);
      threads_.emplace_back([this, descriptor] { serve(descriptor); });
    }
  }
  void serve(int descriptor) {
    Connection connection(descriptor);
    Received received;
    while (connection.read(received)) {
      {
        const std::lock_guard lock(mutex_);
        received_.push_back(received);
      }
      if (!script_(connection, received)) break;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, descriptor);
    ::close(descriptor);
  }

  const Script script_;
  const bool is_ipv6_;
  int listener_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<Received> received_;
  std::size_t connections_ = 0;
  std::vector<int> open_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

// `/204` answers 204, `/hang` never answers; what stands before does not matter.
inline bool do_as_the_path_says(Connection& connection, const Received& received) {
  const std::string last = received.path().substr(received.path().rfind('/') + 1);
  if (last == "hang") {
    connection.hang();
    return false;
  }
  const int status = std::stoi(last);
  return connection.send(status == 204 || status == 304 ? "HTTP/1.1 " + std::to_string(status) + " What\r\n\r\n" : answer(status));
}

}  // namespace reclaim::test
