// Runs a program to its end.
//
// What callers may rely on
//  * No shell. The child has its own process group, default signals, and no descriptor but stdin (/dev/null), stdout, stderr and those in
//    `keep_open`. It is killed when this process dies.
//  * When run_process() returns, in any way, the whole process group is dead and reaped: also what the program left in the
//    background. At the deadline, or when it writes more than it may, the group gets SIGKILL.
//  * With `ends_strays` that holds for what left the group, too: what the program orphaned becomes a child of this process, and every
//    child that belongs to no running program is killed and reaped. Not for programs that start what shall live on.
//  * A program that fails is not an error: its exit code or signal is in the answer. Errors are: kNotFound, it could not be started;
//    kUnavailable, the deadline passed; kTooLarge, too much output.
//
// A child held by the kernel (a hung disk) is waited for, past any deadline: only then can nothing act any more.
// The process becomes a reaper of its descendants (PR_SET_CHILD_SUBREAPER) with the first call.
// Who may call: any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace reclaim::system {

struct Program {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash
  std::vector<int> keep_open = {};
  std::size_t output_max = 64U << 20U;
  bool ends_strays = false;
};

struct Ended {
  int exit_code = 0;  // 128 + signal for a program ended by one
  std::string output = {};
  std::string errors = {};  // the first 64 KiB of stderr
};

Result<Ended> run_process(const Program& program, const Clock& clock, Instant deadline);

}  // namespace reclaim::system
