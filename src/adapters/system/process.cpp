#include "adapters/system/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

#include "adapters/system/files.hpp"
#include "adapters/system/processes.hpp"

namespace reclaim::system {
namespace {

constexpr std::size_t kErrorsMax = 64U << 10U;

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_error(errno, "cannot make a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Status set_nonblocking(const Fd& fd) {
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return system_error(errno, "cannot set up a pipe");
  return done();
}

struct Pipes {
  Pipe output;
  Pipe errors;
  Pipe start;  // closed by exec; else the errno that kept the program from starting
};

Result<Pipes> make_pipes() {
  Pipes pipes;
  pipes.output = TRY(make_pipe());
  pipes.errors = TRY(make_pipe());
  pipes.start = TRY(make_pipe());
  TRY(set_nonblocking(pipes.output.read_end));
  TRY(set_nonblocking(pipes.errors.read_end));
  return pipes;
}

// What the child needs, made before fork: between fork and exec only async-signal-safe calls are allowed.
struct Prepared {
  std::vector<char*> argv;
  const std::vector<int>* keep_open;
  pid_t parent;
  int output, errors, start;
};

bool set_up_child(const Prepared& prepared) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  if (getppid() != prepared.parent) _exit(127);  // it died before the line above
  const int input = open("/dev/null", O_RDONLY);
  if (dup2(input, 0) < 0 || dup2(prepared.output, 1) < 0 || dup2(prepared.errors, 2) < 0) return false;
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
  return std::ranges::all_of(*prepared.keep_open, [](int fd) { return fcntl(fd, F_SETFD, 0) == 0; });
}

[[noreturn]] void run_child(const Prepared& prepared) {
  if (set_up_child(prepared)) execvp(prepared.argv[0], prepared.argv.data());
  const int reason = errno;
  (void)!write(prepared.start, &reason, sizeof(reason));
  _exit(127);
}

// Takes what there is. False at the end of the stream, or when it is over its bound.
bool take(int fd, std::string& into, std::size_t max, bool& overflown) {
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t got = read(fd, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    const std::size_t room = max - into.size();
    into.append(part.data(), std::min(room, static_cast<std::size_t>(got)));
    if (static_cast<std::size_t>(got) > room) overflown = true;
  }
}

// The process groups that belong to a call, and the strays that one is waiting for: the rest of our children are strays.
class Families {
 public:
  // Its first process is known before anybody else can meet it.
  template <class Fork>
  pid_t start(Fork fork_child) {
    const std::lock_guard lock(mutex_);
    const pid_t pid = fork_child();
    if (pid > 0) known_.insert(pid);
    return pid;
  }
  void ended(pid_t pid) {
    const std::lock_guard lock(mutex_);
    known_.erase(known_.find(pid));
  }
  // What a stray leaves behind becomes a stray in its turn.
  void end_strays() {
    for (std::vector<pid_t> strays = kill_strays(); !strays.empty(); strays = kill_strays()) {
      for (const pid_t pid : strays) {
        while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        ended(pid);
      }
    }
  }

 private:
  std::vector<pid_t> kill_strays() {
    std::vector<pid_t> strays;
    const std::lock_guard lock(mutex_);
    for (const auto& [pid, group] : children()) {
      if (known_.contains(pid) || known_.contains(group)) continue;
      kill(pid, SIGKILL);
      known_.insert(pid);
      strays.push_back(pid);
    }
    return strays;
  }

  std::mutex mutex_;
  std::multiset<pid_t> known_;  // a number may be its next bearer's already before its last one is struck off
};

Families& families() {
  static Families all;
  return all;
}

class Running {
 public:
  Running(const Program& program, Pipes pipes, pid_t pid, Fd pidfd)
      : program_(program), pipes_(std::move(pipes)), pid_(pid), pidfd_(std::move(pidfd)) {}

  // Until it ended, or had to be ended.
  Status attend(const Clock& clock, Instant deadline) {
    for (;;) {
      const Millis left = deadline - clock.now();
      if (left <= Millis(0)) return unavailable(program_.argv[0] + " did not finish before its deadline and was killed");
      std::array<pollfd, 3> wait{pollfd{pidfd_.get(), POLLIN, 0}, pollfd{pipes_.output.read_end.get(), POLLIN, 0},
                                 pollfd{pipes_.errors.read_end.get(), POLLIN, 0}};
      const int ready = poll(wait.data(), wait.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
      if (ready < 0 && errno != EINTR) return system_error(errno, "cannot wait for " + program_.argv[0]);
      if (ready <= 0) continue;
      TRY(drain());
      if (wait[0].revents != 0) return done();
    }
  }

  // Kills what is left of the group and reaps it. The leader is not reaped before the kill: until then its number is this group's.
  Ended end() {
    kill(-pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    while (waitpid(-pid_, nullptr, 0) > 0 || errno == EINTR) {
    }
    families().ended(pid_);
    if (program_.ends_strays) families().end_strays();
    (void)drain();
    ended_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return std::move(ended_);
  }

 private:
  Status drain() {
    bool overflown = false;
    bool ignored = false;
    if (pipes_.output.read_end.is_open() && !take(pipes_.output.read_end.get(), ended_.output, program_.output_max, overflown)) {
      pipes_.output.read_end = Fd();
    }
    if (pipes_.errors.read_end.is_open() && !take(pipes_.errors.read_end.get(), ended_.errors, kErrorsMax, ignored)) {
      pipes_.errors.read_end = Fd();
    }
    if (overflown) return too_large(program_.argv[0] + " wrote more than " + std::to_string(program_.output_max) + " bytes");
    return done();
  }

  const Program& program_;
  Pipes pipes_;
  pid_t pid_;
  Fd pidfd_;
  Ended ended_;
};

}  // namespace

Result<Ended> run_process(const Program& program, const Clock& clock, Instant deadline) {
  static const bool reaper = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
  if (!reaper) return unavailable("this kernel cannot make a process a reaper");
  check(!program.argv.empty(), "a program has a name");
  Pipes pipes = TRY(make_pipes());
  Prepared prepared{
      {}, &program.keep_open, getpid(), pipes.output.write_end.get(), pipes.errors.write_end.get(), pipes.start.write_end.get()};
  for (const std::string& word : program.argv) prepared.argv.push_back(const_cast<char*>(word.c_str()));
  prepared.argv.push_back(nullptr);

  const pid_t pid = families().start([&prepared] {
    const pid_t forked = fork();
    if (forked == 0) run_child(prepared);
    return forked;
  });
  if (pid < 0) return system_error(errno, "cannot start " + program.argv[0]);
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int no_pidfd = pidfd.is_open() ? 0 : errno;
  pipes.output.write_end = Fd();
  pipes.errors.write_end = Fd();
  pipes.start.write_end = Fd();
  int reason = no_pidfd;
  while (read(pipes.start.read_end.get(), &reason, sizeof(reason)) < 0 && errno == EINTR) {
  }

  Running running(program, std::move(pipes), pid, std::move(pidfd));
  const Status attended = reason == 0 ? running.attend(clock, deadline) : Status(system_error(reason, "cannot start " + program.argv[0]));
  Ended ended = running.end();
  if (!attended.ok()) return attended.error();
  return ended;
}

}  // namespace reclaim::system
