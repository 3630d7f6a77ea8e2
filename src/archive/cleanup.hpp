// The pass that ends tapes' stays in X_PENDING.
//
// It begins with the question which tapes are pending, so that no flag can get lost with a queue (A4). A tape whose to-transfer queue is
// not there, or holds nothing but dead entries, becomes final by compare-and-set; one whose queue holds something waits.
//
// Who may call: any number of processes at once; whoever comes second to a tape finds its stay over. A crash leaves each tape pending or
// final, and the next pass goes on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "archive/context.hpp"
#include "base/result.hpp"
#include "ports/object_store.hpp"

namespace reclaim::archive {

struct CleanupReport {
  std::size_t finished = 0;           // tapes that left X_PENDING
  std::size_t waiting = 0;            // tapes whose queue holds something
  std::vector<std::string> problems;  // one for each tape that could not be judged: it hinders no other
};

// Errors: those of asking which tapes are pending.
Result<CleanupReport> clean_up(const Context& context, ports::ObjectStore& store);

}  // namespace reclaim::archive
