// Another process of a test: what one store promises to several.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/check.hpp"

namespace reclaim::test {

// A forked process with two pipes. Forked before the parent opens the store, for it must not use the parent's.
class Child {
 public:
  // True: exits 0.
  explicit Child(const std::function<bool(Child&)>& body) {
    check(::pipe(to_child_) == 0 && ::pipe(to_parent_) == 0, "pipe");
    pid_ = ::fork();
    check(pid_ >= 0, "fork");
    if (pid_ == 0) ::_exit(body(*this) ? 0 : 1);
    ::close(std::exchange(to_parent_[1], -1));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill();
    for (const int fd : {to_child_[0], to_child_[1], to_parent_[0], to_parent_[1]}) {
      if (fd >= 0) ::close(fd);
    }
  }

  // In the child.
  void tell(std::uint64_t number) { check(::write(to_parent_[1], &number, sizeof number) == sizeof number, "write"); }
  void await_go() {
    char byte = 0;
    check(::read(to_child_[0], &byte, 1) == 1, "read");
  }
  [[noreturn]] static void stay() {
    for (;;) ::pause();
  }

  // In the parent.
  void go() { check(::write(to_child_[1], "g", 1) == 1, "write"); }
  // What the child told next; 0 when it has ended and told all.
  std::uint64_t hear() {
    std::uint64_t number = 0;
    return ::read(to_parent_[0], &number, sizeof number) == sizeof number ? number : 0;
  }
  bool succeeds() {
    int status = 0;
    check(::waitpid(std::exchange(pid_, -1), &status, 0) > 0, "waitpid");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  int to_child_[2] = {-1, -1};
  int to_parent_[2] = {-1, -1};
};

}  // namespace reclaim::test
