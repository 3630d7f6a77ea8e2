#include "adapters/system/processes.hpp"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>

#include "adapters/system/files.hpp"

namespace reclaim::system {
namespace {

std::optional<pid_t> parse_pid(std::string_view text) {
  pid_t pid = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (failure != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

std::string proc(pid_t pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

struct Stat {
  pid_t parent = 0;
  pid_t group = 0;
  std::uint64_t start = 0;
};

// Fields 4, 5 and 22, counted behind the name, which may hold anything.
std::optional<Stat> read_stat(pid_t pid) {
  std::ifstream file(proc(pid, "stat"));
  std::string line;
  if (!std::getline(file, line, '\0')) return std::nullopt;
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  Stat stat;
  fields >> skipped >> stat.parent >> stat.group;
  for (int field = 6; field < 22; ++field) fields >> skipped;
  if (!(fields >> stat.start)) return std::nullopt;
  return stat;
}

std::int64_t read_ms(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::int64_t>(at.tv_sec) * 1000 + at.tv_nsec / 1'000'000;
}

WallTime wall_time_of(std::uint64_t start) {
  const auto since_boot = static_cast<std::int64_t>(start) * 1000 / sysconf(_SC_CLK_TCK);
  return {read_ms(CLOCK_REALTIME) - read_ms(CLOCK_BOOTTIME) + since_boot};
}

std::uint64_t namespace_of(pid_t pid, const char* which) {
  struct stat found {};
  return stat(proc(pid, which).c_str(), &found) == 0 ? found.st_ino : 0;
}

// `4:memory:/a/b` is /a/b.
std::vector<std::string> cgroups_of(pid_t pid) {
  std::vector<std::string> paths;
  std::ifstream file(proc(pid, "cgroup"));
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::string path = line.substr(second + 1);
    if (std::ranges::find(paths, path) == paths.end()) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir("/proc"), closedir);
  if (!stream) return pids;
  while (const dirent* entry = readdir(stream.get())) {
    if (const auto pid = parse_pid(entry->d_name)) pids.push_back(*pid);
  }
  return pids;
}

std::vector<Child> children() {
  std::vector<Child> found;
  for (const pid_t pid : all_processes()) {
    const auto stat = read_stat(pid);
    if (stat && stat->parent == getpid()) found.push_back({pid, stat->group});
  }
  return found;
}

std::optional<ProcessInfo> inspect_process(pid_t pid) {
  const auto stat = read_stat(pid);
  if (!stat) return std::nullopt;
  ProcessInfo info{{pid, stat->start}, wall_time_of(stat->start)};
  info.mount_namespace = namespace_of(pid, "ns/mnt");
  info.pid_namespace = namespace_of(pid, "ns/pid");
  info.cgroups = cgroups_of(pid);
  return info;
}

Status kill_process(const ProcessId& id, const Clock& clock, Instant deadline) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, id.pid, 0)));
  if (!pidfd.is_open() && errno == ESRCH) return done();
  const std::string name = "process " + std::to_string(id.pid);
  if (!pidfd.is_open()) return system_error(errno, "cannot open " + name);
  const auto stat = read_stat(id.pid);
  if (!stat || stat->start != id.start) return done();
  if (id.pid == 1 || id.pid == getpid()) return conflict(name + " is not a container's: it is left alone");
  if (syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
    return system_error(errno, "cannot kill " + name);
  }
  for (;;) {
    const Millis left = deadline - clock.now();
    pollfd wait{pidfd.get(), POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000)));
    if (ready > 0) return done();
    if (ready < 0 && errno != EINTR) return system_error(errno, "cannot wait for " + name);
    if (left <= Millis(0)) return unavailable(name + " was killed and is still there");
  }
}

}  // namespace reclaim::system
