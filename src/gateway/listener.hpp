// The listening socket. Its backlog is as long as the kernel allows: connections of a whole fleet that comes back at once wait there.
//
// It takes connections only as long as they leave descriptors to the rest of the process, and tells the others why. Should there be
// none at all, one is kept in reserve to take a connection, tell it why and close it, so that nobody hangs and the event loop does not
// spin on a connection that it cannot take.
#pragma once

#include <cstddef>
#include <deque>
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

  // `descriptors_left`: percent of the process's limit, see runtime/descriptors.hpp.
  Status open(const std::string& host, int port, std::size_t descriptors_left);
  int fd() const { return fd_; }
  int port() const;

  struct Arrival {
    enum class Kind { kConnection, kNobody, kTurnedAway, kNoDescriptors };
    Kind kind;
    int fd = -1;  // of kConnection: non-blocking, and the caller's to close
  };
  // kTurnedAway: for want of descriptors, and told so. kNoDescriptors: there is not even one for that; somebody still waits.
  Arrival accept();
  bool somebody_waits() const;

  // Tells why as an SSH client shows it to its user, and takes `fd` to close it when the client has had the time to read that.
  void turn_away(int fd, std::string_view why);
  // To be called now and then: closes whoever was turned away before the call before this one.
  void let_go();

 private:
  void hold_spare();
  static void close_all(std::deque<int>& connections);

  int fd_ = -1;
  int spare_ = -1;
  std::size_t descriptors_left_ = 0;
  std::deque<int> turned_away_;  // since the last let_go()
  std::deque<int> leaving_;      // before it
};

}  // namespace reclaim::gateway
