// Control groups, in every hierarchy that is mounted: version 1, version 2, or both at once.
//
// A path here is the cgroup's own, `/a/b`, the same in each hierarchy, as /proc/PID/cgroup and the runtimes name it. It is walked one
// component at a time from each hierarchy's mount point, never through a link or another mount.
//
// What callers may rely on
//  * Only what is below a hierarchy's root is touched, and never a cgroup that this process is in.
//  * Removing is rmdir alone: the kernel refuses it while a process or another cgroup is in there.
//
// Who may call: any thread. What is not there is success or an empty answer. A crash leaves cgroups in some hierarchies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/system/processes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::system {

// `/a/b` for `/sys/fs/cgroup/memory/a/b`; empty when that is not a cgroup below a hierarchy's root.
std::string cgroup_path_of(std::string_view file_system_path);

// Processes in the cgroup and in those below it.
Result<std::vector<ProcessId>> processes_in_cgroup(const std::string& path);

// Lets a frozen cgroup run again: a frozen process of a version 1 hierarchy does not even die.
Status thaw_cgroup(const std::string& path);

// Kills what is in it and below it until nothing is. kConflict when this process is in it.
Status kill_cgroup(const std::string& path, const Clock& clock, Instant deadline);

// Removes it, and the cgroups in it, wherever that is empty. False when something is left in some hierarchy.
Result<bool> remove_cgroup(const std::string& path);

// Removes it where it is empty and as the kernel made it: no process, no other cgroup, no limit set. What a runtime makes on its way
// down to a container's own cgroup looks like that once the container is gone; what a person or systemd made to hold something does
// not: it has a limit, or a name that ends in .slice, .scope or .service. True when none is left.
Result<bool> remove_bare_cgroup(const std::string& path);

}  // namespace reclaim::system
