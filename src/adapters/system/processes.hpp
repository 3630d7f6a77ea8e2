// Processes that are not children of this one, met by number and never mistaken for the next bearer of that number.
//
// What callers may rely on
//  * A ProcessId is a number and the moment of birth (clock ticks since boot, as the kernel counts them): two processes of one boot
//    never share both.
//  * A signal goes through a pidfd that was opened before the identity was looked at, so it reaches that process or nobody.
//
// Who may call: any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::system {

struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start = 0;
  bool operator==(const ProcessId&) const = default;
};

struct ProcessInfo {
  ProcessId id;
  WallTime started;                   // by the wall clock as it is set now
  std::uint64_t mount_namespace = 0;  // 0: it may not be read, or the process is on its way out
  std::uint64_t pid_namespace = 0;
  std::vector<std::string> cgroups = {};  // its path in each hierarchy, without repetitions
};

struct Child {
  pid_t pid;
  pid_t group;
};

std::vector<pid_t> all_processes();
// Those of this process, the dead that nobody has waited for included.
std::vector<Child> children();
// Nothing when there is no such process.
std::optional<ProcessInfo> inspect_process(pid_t pid);

// SIGKILL, and its end awaited. Done when it is not there. kUnavailable when it still is at the deadline, kConflict for this process
// itself and for process 1.
Status kill_process(const ProcessId& id, const Clock& clock, Instant deadline);

}  // namespace reclaim::system
