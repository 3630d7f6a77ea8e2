#include "adapters/system/cgroups.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "adapters/system/files.hpp"
#include "adapters/system/mounts.hpp"
#include "adapters/system/system_time.hpp"

namespace reclaim::system {
namespace {

constexpr int kDepthMax = 32;
constexpr Millis kPause{1};  // the dead stay listed until the kernel has put them away
constexpr std::size_t kProcsMax = std::size_t{4} << 20U;

// What each of these says in a cgroup that nobody has set a limit on.
constexpr std::pair<const char*, std::string_view> kUnlimited[] = {
    {"memory.limit_in_bytes", "9223372036854771712"},
    {"memory.memsw.limit_in_bytes", "9223372036854771712"},
    {"memory.soft_limit_in_bytes", "9223372036854771712"},
    {"cpu.shares", "1024"},
    {"cpu.cfs_quota_us", "-1"},
    {"cpu.rt_runtime_us", "0"},
    {"blkio.bfq.weight", "100"},
    {"blkio.throttle.read_bps_device", ""},
    {"blkio.throttle.write_bps_device", ""},
    {"blkio.throttle.read_iops_device", ""},
    {"blkio.throttle.write_iops_device", ""},
    {"devices.list", "a *:* rwm"},
    {"notify_on_release", "0"},
    {"pids.max", "max"},
    {"memory.max", "max"},
    {"memory.high", "max"},
    {"memory.swap.max", "max"},
    {"memory.min", "0"},
    {"memory.low", "0"},
    {"cpu.max", "max 100000"},
    {"cpu.weight", "100"},
    {"io.max", ""},
    {"cgroup.max.depth", "max"},
    {"cgroup.max.descendants", "max"},
};

std::vector<std::string> components_of(const std::string& path) {
  std::vector<std::string> components;
  std::istringstream words(path);
  for (std::string word; std::getline(words, word, '/');) {
    if (!word.empty()) components.push_back(std::move(word));
  }
  return components;
}

bool is_own_path(const std::string& path) {
  const std::vector<std::string> components = components_of(path);
  return path.starts_with('/') && !components.empty() &&
         std::ranges::none_of(components, [](const std::string& name) { return name == "." || name == ".."; });
}

// Where each hierarchy is mounted, once each.
Result<std::vector<std::string>> hierarchies() {
  std::vector<std::string> points;
  std::set<std::string> seen;
  for (const MountInfo& mount : TRY(mount_table())) {
    if ((mount.type == "cgroup" || mount.type == "cgroup2") && seen.insert(mount.device).second) points.push_back(mount.point);
  }
  return points;
}

// The cgroup in one hierarchy, by its parent's descriptor and its name there.
struct Found {
  Fd parent;
  std::string name;
};

Result<std::optional<Found>> find_in(const std::string& hierarchy, const std::vector<std::string>& components) {
  Fd parent = TRY(open_directory(hierarchy));
  for (std::size_t i = 0; i + 1 < components.size(); ++i) {
    auto below = open_directory_at(parent.get(), components[i]);
    if (!below.ok() && below.error().kind == Error::Kind::kNotFound) return std::optional<Found>();
    parent = TRY(std::move(below));
  }
  if (TRY(inspect_at(parent.get(), components.back())).type != FileType::kDirectory) return std::optional<Found>();
  return std::optional<Found>({std::move(parent), components.back()});
}

// One for each hierarchy that has it.
Result<std::vector<Found>> find_cgroup(const std::string& path) {
  if (!is_own_path(path)) return conflict(path + " is not a container's cgroup: it is left alone");
  const std::vector<std::string> components = components_of(path);
  std::vector<Found> found;
  for (const std::string& hierarchy : TRY(hierarchies())) {
    if (std::optional<Found> here = TRY(find_in(hierarchy, components))) found.push_back(std::move(*here));
  }
  return found;
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \n\t") + 1);
  return text;
}

// What went meanwhile is as if it had never been there.
template <class T>
Result<T> or_nothing(Result<T> result) {
  // ENODEV is what the kernel says of a file in a cgroup that has just gone.
  if (!result.ok() && (result.error().kind == Error::Kind::kNotFound || result.error().message.ends_with("No such device"))) return T();
  return result;
}

Result<std::vector<std::string>> cgroups_in(int cgroup) {
  std::vector<std::string> names = TRY(or_nothing(list_directory(cgroup)));
  std::erase_if(names, [cgroup](const std::string& name) {
    const auto info = inspect_at(cgroup, name);
    return !info.ok() || info.value().type != FileType::kDirectory;
  });
  return names;
}

Status add_processes(int parent, const std::string& name, int depth, std::set<pid_t>& pids) {
  auto opened = open_directory_at(parent, name);
  if (!opened.ok() && opened.error().kind == Error::Kind::kNotFound) return done();
  const Fd cgroup = TRY(std::move(opened));
  std::istringstream lines(TRY(or_nothing(read_file_at(cgroup.get(), "cgroup.procs", kProcsMax))));
  for (pid_t pid = 0; lines >> pid;) pids.insert(pid);
  if (depth >= kDepthMax) return conflict("cgroups are nested too deeply below " + name);
  for (const std::string& inner : TRY(cgroups_in(cgroup.get()))) TRY(add_processes(cgroup.get(), inner, depth + 1, pids));
  return done();
}

Result<std::set<pid_t>> pids_in(const std::string& path) {
  std::set<pid_t> pids;
  for (const Found& found : TRY(find_cgroup(path))) TRY(add_processes(found.parent.get(), found.name, 0, pids));
  return pids;
}

Result<bool> remove_from(int parent, const std::string& name, int depth) {
  auto opened = open_directory_at(parent, name);
  if (!opened.ok() && opened.error().kind == Error::Kind::kNotFound) return true;
  {
    const Fd cgroup = TRY(std::move(opened));
    if (depth >= kDepthMax) return false;
    for (const std::string& inner : TRY(cgroups_in(cgroup.get()))) {
      if (!TRY(remove_from(cgroup.get(), inner, depth + 1))) return false;
    }
  }
  if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
  if (errno == EBUSY) return false;
  return system_error(errno, "cannot remove cgroup " + name);
}

Status write_to(int cgroup, const char* file, std::string_view text) {
  const Fd opened(openat(cgroup, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened.is_open()) return errno == ENOENT ? done() : Status(system_error(errno, std::string("cannot open ") + file));
  if (write(opened.get(), text.data(), text.size()) < 0 && errno != ENODEV) return system_error(errno, std::string("cannot write ") + file);
  return done();
}

bool is_unit_of_systemd(const std::string& name) {
  return name.ends_with(".slice") || name.ends_with(".scope") || name.ends_with(".service");
}

Result<bool> is_bare(const Found& found) {
  const Fd cgroup = TRY(open_directory_at(found.parent.get(), found.name));
  struct stat about {};
  if (fstat(cgroup.get(), &about) != 0 || about.st_uid != geteuid() || is_unit_of_systemd(found.name)) return false;
  if (!TRY(cgroups_in(cgroup.get())).empty()) return false;
  if (!TRY(read_file_at(cgroup.get(), "cgroup.procs", kProcsMax)).empty()) return false;
  for (const auto& [file, unlimited] : kUnlimited) {
    const auto text = read_file_at(cgroup.get(), file, kProcsMax);
    if (!text.ok() && text.error().kind == Error::Kind::kNotFound) continue;
    if (!text.ok() || trimmed(text.value()) != unlimited) return false;
  }
  return true;
}

}  // namespace

std::string cgroup_path_of(std::string_view file_system_path) {
  const auto points = hierarchies();
  if (!points.ok()) return {};
  for (const std::string& point : points.value()) {
    if (!file_system_path.starts_with(point + "/")) continue;
    std::string path(file_system_path.substr(point.size()));
    return is_own_path(path) ? path : std::string();
  }
  return {};
}

Result<std::vector<ProcessId>> processes_in_cgroup(const std::string& path) {
  std::vector<ProcessId> ids;
  for (const pid_t pid : TRY(pids_in(path))) {
    if (const auto info = inspect_process(pid)) ids.push_back(info->id);
  }
  return ids;
}

Status thaw_cgroup(const std::string& path) {
  for (const Found& found : TRY(find_cgroup(path))) {
    auto cgroup = open_directory_at(found.parent.get(), found.name);
    if (!cgroup.ok()) continue;
    TRY(write_to(cgroup.value().get(), "freezer.state", "THAWED"));
    TRY(write_to(cgroup.value().get(), "cgroup.freeze", "0"));
  }
  return done();
}

Status kill_cgroup(const std::string& path, const Clock& clock, Instant deadline) {
  for (;;) {
    const std::vector<ProcessId> before = TRY(processes_in_cgroup(path));
    // Looked at twice: a process that was in it, by number and birth, and still is, is one that may be killed.
    const std::set<pid_t> still = TRY(pids_in(path));
    if (still.empty()) return done();
    if (still.contains(getpid())) return conflict("cgroup " + path + " holds this worker itself: it is left alone");
    if (still.contains(0)) return conflict("cgroup " + path + " has processes that cannot be seen from here");
    if (clock.now() >= deadline) return unavailable("cgroup " + path + " still has processes");
    TRY(thaw_cgroup(path));
    for (const ProcessId& id : before) {
      if (still.contains(id.pid)) TRY(kill_process(id, clock, deadline));
    }
    pause_for(kPause);
  }
}

Result<bool> remove_cgroup(const std::string& path) {
  bool all = true;
  for (const Found& found : TRY(find_cgroup(path))) all = TRY(remove_from(found.parent.get(), found.name, 0)) && all;
  return all;
}

Result<bool> remove_bare_cgroup(const std::string& path) {
  const std::vector<Found> everywhere = TRY(find_cgroup(path));
  for (const Found& found : everywhere) {
    const auto bare = is_bare(found);
    if (!bare.ok() || !bare.value()) return false;
  }
  bool all = true;
  for (const Found& found : everywhere) {
    if (unlinkat(found.parent.get(), found.name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) all = false;
  }
  return all;
}

}  // namespace reclaim::system
