// What is left of a container that its runtime cannot delete any more, and what every runtime leaves behind.
//
// A process is killed, or a cgroup's processes are, only on proof that they are the container's:
//  * the runtime's own record of it, as far as it can be read or was read before, names the process and its birth; or
//  * they are in a cgroup that bears the container's id and that the record, or such a process, names; or
//  * nothing was ever readable, a cgroup bears exactly the id, and the processes in it began when the state directory was made.
// Without proof nothing is killed: when some process could still be the container's, that is an error that names it.
//
// Order: processes, cgroups, the state directory last. So a crash leaves a container that is listed, and cleaned again.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "adapters/runtime_oci/container_record.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::runtime_oci {

// The other containers of the root: what is theirs is not this one's.
struct Others {
  std::set<std::string> ids;
  std::set<std::string> cgroups;
};

// Whether the last component of a cgroup's path is the id, alone or behind the mark of who made it: `c1`, `libpod-c1`, `docker-c1.scope`.
bool bears_id(const std::string& cgroup, const std::string& id);

// Ends and removes all of it, the state directory in `root` included. kConflict says what a person has to look at.
Status clean_remains(int root, const Handle& handle, ContainerRecord record, const Others& others, const Clock& clock, Instant deadline);

// For a container that its runtime has deleted: what the record names is ended where the runtime left it, its cgroups go, and so do
// those above that were made on the way down to them (system::remove_bare_cgroup says which) and hold nothing any more.
Status clean_after_runtime(const Handle& handle, const ContainerRecord& record, const Others& others, const Clock& clock, Instant deadline);

}  // namespace reclaim::runtime_oci
