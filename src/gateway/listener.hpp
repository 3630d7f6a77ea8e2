// The listening socket. Its backlog is as long as the kernel allows: connections of a whole fleet that comes back at once wait there.
//
// Out of descriptors it still answers: one descriptor is kept in reserve to take a connection, tell it why and close it, so that
// nobody hangs and the event loop does not spin on a connection that it cannot take.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace reclaim::gateway {

class Listener {
 public:
  Listener() = default;
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Status open(const std::string& host, int port);
  int fd() const { return fd_; }
  int port() const;

  struct Arrival {
    enum class Kind { kConnection, kNobody, kNoDescriptors };
    Kind kind;
    int fd = -1;  // of kConnection: non-blocking, and the caller's to close
  };
  // kNoDescriptors: one was turned away, or could not even be, because the process has no descriptor left for it.
  Arrival accept();
  bool somebody_waits() const;

  // Tells why in a line that the SSH protocol allows before a server's banner, and closes.
  static void turn_away(int fd, std::string_view why);

 private:
  void hold_spare();

  int fd_ = -1;
  int spare_ = -1;
  int descriptors_max_ = 0;
};

}  // namespace reclaim::gateway
