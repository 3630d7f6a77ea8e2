#include "runtime/signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <utility>

#include "base/check.hpp"

namespace reclaim::runtime {

Signals::Signals(const std::vector<int>& numbers, std::function<void(int number)> on_signal) : on_signal_(std::move(on_signal)) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  check(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0, "pthread_sigmask");
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  stop_fd_ = eventfd(0, EFD_CLOEXEC);
  check(signal_fd_ >= 0 && stop_fd_ >= 0, "signalfd, eventfd");
  thread_ = std::thread([this] { watch(); });
}

Signals::~Signals() {
  const std::uint64_t one = 1;
  check(write(stop_fd_, &one, sizeof(one)) == sizeof(one), "eventfd write");
  thread_.join();
  close(signal_fd_);
  close(stop_fd_);
}

void Signals::watch() {
  for (;;) {
    std::array<pollfd, 2> wait{pollfd{stop_fd_, POLLIN, 0}, pollfd{signal_fd_, POLLIN, 0}};
    if (poll(wait.data(), wait.size(), -1) < 0) continue;
    if (wait[0].revents != 0) return;
    signalfd_siginfo received{};
    if (read(signal_fd_, &received, sizeof(received)) == sizeof(received)) on_signal_(static_cast<int>(received.ssi_signo));
  }
}

}  // namespace reclaim::runtime
