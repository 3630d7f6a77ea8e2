// The archive by a seed: submitter, canceller, operator, two cleaners, two drives, a reporter and two collectors, of which one runs at a
// time and hands over at each call to the store and the catalogue.
//
// Asked for, by name: A6 while a tape is under cleanup; A1, A2, A4, A5, C1 at rest, and A3 by these: what a late writer has changed shows
// in them. That a report keeps its key and body (A2).
#pragma once

#include <memory>

#include "sim/swarm.hpp"

namespace reclaim::sim {

std::unique_ptr<Workload> make_archive_workload(Run& run);

}  // namespace reclaim::sim
