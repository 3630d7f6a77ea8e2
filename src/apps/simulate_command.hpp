// `reclaim simulate`: whole worlds by a seed, with faults, and the invariants that they must keep (sim/swarm.hpp).
#pragma once

#include "cli/command_line.hpp"

namespace reclaim::apps {

void add_simulate_command(cli::CommandLine& line);

}  // namespace reclaim::apps
