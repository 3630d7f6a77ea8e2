#include "adapters/runtime_oci/remains.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "adapters/system/cgroups.hpp"
#include "adapters/system/files.hpp"
#include "adapters/system/remove_tree.hpp"

namespace reclaim::runtime_oci {
namespace {

// How long before and after its state directory was made a container's first process begins.
constexpr Millis kBeginsBefore{1'000};
constexpr Millis kBeginsAfter{10'000};

std::string last_component(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void add(std::vector<std::string>& cgroups, const std::string& path) {
  if (path != "/" && std::ranges::find(cgroups, path) == cgroups.end()) cgroups.push_back(path);
}

// The cgroups above the container's own, from the inside out. What is not ours or in use ends the climb.
void remove_cgroups_above(const std::string& cgroup) {
  std::string above = cgroup;
  for (;;) {
    above.resize(above.rfind('/'));
    if (above.empty()) return;
    const auto removed = system::remove_bare_cgroup(above);
    if (!removed.ok() || !removed.value()) return;
  }
}

class Cleaner {
 public:
  Cleaner(int root, const Handle& handle, ContainerRecord record, const Others& others, const Clock& clock, Instant deadline)
      : root_(root), id_(handle.str()), record_(std::move(record)), others_(others), clock_(clock), deadline_(deadline) {}

  Status run() {
    if (record_.init) {
      TRY(end_init(*record_.init));
    } else if (record_.cgroups.empty()) {
      TRY(look_for_lost_processes());
    }
    for (const std::string& cgroup : record_.cgroups) TRY(end_cgroup(cgroup));
    TRY(system::remove_tree_at(root_, id_, clock_, deadline_));
    for (const std::string& cgroup : record_.cgroups) remove_cgroups_above(cgroup);
    return done();
  }

 private:
  bool is_own(const std::string& cgroup) const { return bears_id(cgroup, id_) && !others_.cgroups.contains(cgroup); }

  // Where it is, the kernel knows better than a record.
  Status end_init(const system::ProcessId& init) {
    const auto info = system::inspect_process(init.pid);
    if (!info || info->id != init) return done();
    const auto self = system::inspect_process(getpid());
    // The kernel ends all of a pid namespace with its init.
    all_ended_ = self && info->pid_namespace != 0 && info->pid_namespace != self->pid_namespace;
    for (const std::string& cgroup : info->cgroups) {
      if (!self || std::ranges::find(self->cgroups, cgroup) == self->cgroups.end()) add(record_.cgroups, cgroup);
    }
    for (const std::string& cgroup : record_.cgroups) {
      if (is_own(cgroup)) TRY(system::thaw_cgroup(cgroup));
    }
    return system::kill_process(init, clock_, deadline_);
  }

  Status end_cgroup(const std::string& cgroup) {
    if (is_own(cgroup)) {
      TRY(system::kill_cgroup(cgroup, clock_, deadline_));
      if (!TRY(system::remove_cgroup(cgroup))) return unavailable("cgroup " + cgroup + " is still in use");
      return done();
    }
    const std::vector<system::ProcessId> left = TRY(system::processes_in_cgroup(cgroup));
    if (left.empty()) return TRY(system::remove_bare_cgroup(cgroup)), done();
    if (all_ended_) return done();
    return conflict("its state is damaged, and cgroup " + cgroup + ", which does not bear its name, holds process " +
                    std::to_string(left.front().pid) + ": nobody can tell whose it is. End it if it is the container's");
  }

  // Nothing was ever read of this container: its name and the time are all there is.
  Status look_for_lost_processes() {
    const std::optional<WallTime> born = TRY(system::born_at(root_, id_));
    const auto self = system::inspect_process(getpid());
    std::optional<pid_t> stranger;
    for (const pid_t pid : system::all_processes()) {
      const auto info = system::inspect_process(pid);
      if (!info || !self || info->mount_namespace == 0 || info->mount_namespace == self->mount_namespace) continue;
      if (born && (info->started < *born - kBeginsBefore || info->started > *born + kBeginsAfter)) continue;
      if (is_of_another(*info)) continue;
      bool is_ours = false;
      for (const std::string& cgroup : info->cgroups) {
        if (!born || !is_named_exactly(cgroup)) continue;
        add(record_.cgroups, cgroup);
        is_ours = true;
      }
      if (!is_ours) stranger = pid;
    }
    if (record_.cgroups.empty() && stranger) {
      return conflict(
          "its state is lost, and process " + std::to_string(*stranger) +
          ", which has a mount namespace of its own, began when it did: nobody can tell whether it is the container's. End it if "
          "it is, or remove the state directory");
    }
    // Runtimes that are not told otherwise put it here; by now it is empty, or not the container's.
    if (record_.cgroups.empty()) (void)system::remove_bare_cgroup("/" + id_);
    return done();
  }

  bool is_named_exactly(const std::string& cgroup) const {
    const std::string name = last_component(cgroup);
    return (name == id_ || name.ends_with("-" + id_ + ".scope")) && !others_.cgroups.contains(cgroup);
  }

  bool is_of_another(const system::ProcessInfo& info) const {
    return std::ranges::any_of(info.cgroups, [this](const std::string& path) {
      return others_.cgroups.contains(path) || others_.ids.contains(last_component(path));
    });
  }

  int root_;
  const std::string id_;
  ContainerRecord record_;
  const Others& others_;
  const Clock& clock_;
  const Instant deadline_;
  bool all_ended_ = false;
};

}  // namespace

bool bears_id(const std::string& cgroup, const std::string& id) {
  std::string name = last_component(cgroup);
  if (name.ends_with(".scope") && name != id) name.resize(name.size() - std::string_view(".scope").size());
  if (!name.ends_with(id)) return false;
  return name.size() == id.size() || std::string_view("-._:").find(name[name.size() - id.size() - 1]) != std::string_view::npos;
}

Status clean_remains(int root, const Handle& handle, ContainerRecord record, const Others& others, const Clock& clock, Instant deadline) {
  return Cleaner(root, handle, std::move(record), others, clock, deadline).run();
}

Status clean_after_runtime(const Handle& handle, const ContainerRecord& record, const Others& others, const Clock& clock,
                           Instant deadline) {
  if (record.init) TRY(system::kill_process(*record.init, clock, deadline));
  for (const std::string& cgroup : record.cgroups) {
    if (!bears_id(cgroup, handle.str()) || others.cgroups.contains(cgroup)) continue;
    TRY(system::kill_cgroup(cgroup, clock, deadline));
    if (!TRY(system::remove_cgroup(cgroup))) return unavailable("cgroup " + cgroup + " is still in use");
    remove_cgroups_above(cgroup);
  }
  return done();
}

}  // namespace reclaim::runtime_oci
