// A client that says exactly what a test wants it to say, byte for byte, and gives up after ten seconds.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace reclaim::http {

struct RawReply {
  int status = 0;  // 0: the connection ended first
  std::map<std::string, std::string> headers;
  std::string body;
};

class RawClient {
 public:
  RawClient() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  explicit RawClient(std::uint16_t port) : RawClient() { connect(port); }
  ~RawClient() { ::close(descriptor_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void connect(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  // False when the other side has gone; some tests expect that.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { ::shutdown(descriptor_, SHUT_WR); }

  RawReply get(const std::string& target) {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return read_reply();
  }

  std::string read_until(std::string_view mark) {
    while (pending_.find(mark) == std::string::npos) {
      if (!receive()) return "";
    }
    const std::size_t end = pending_.find(mark) + mark.size();
    std::string read = pending_.substr(0, end);
    pending_.erase(0, end);
    return read;
  }

  RawReply read_reply(bool with_body = true) {
    RawReply reply;
    const std::string head = read_until("\r\n\r\n");
    if (!head.starts_with("HTTP/1.1 ") && !head.starts_with("HTTP/1.0 ")) return reply;
    reply.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
      const std::size_t end = head.find("\r\n", at);
      const std::size_t colon = head.find(": ", at);
      std::string name = head.substr(at, colon - at);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      reply.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    if (with_body && reply.headers.contains("content-length")) reply.body = read_exactly(std::stoul(reply.headers["content-length"]));
    return reply;
  }

  // One chunk of a chunked body; empty: the last, or the connection ended.
  std::string read_chunk() {
    const std::string size = read_until("\r\n");
    if (size.empty()) return "";
    std::string chunk = read_exactly(std::stoul(size, nullptr, 16));
    read_exactly(2);
    return chunk;
  }

  // Everything up to the other side's end; also true after a reset.
  bool is_closed() {
    while (receive()) {
    }
    return ended_;
  }

 private:
  bool receive() {
    char bytes[65536];
    const ssize_t received = ::recv(descriptor_, bytes, sizeof bytes, 0);
    ended_ = received == 0 || (received < 0 && errno == ECONNRESET);
    if (received > 0) pending_.append(bytes, static_cast<std::size_t>(received));
    return received > 0;
  }

  std::string read_exactly(std::size_t count) {
    while (pending_.size() < count) {
      if (!receive()) return "";
    }
    std::string read = pending_.substr(0, count);
    pending_.erase(0, count);
    return read;
  }

  int descriptor_;
  std::string pending_;
  bool ended_ = false;
};

}  // namespace reclaim::http
