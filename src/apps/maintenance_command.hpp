// `reclaim maintenance`: the archive's passes as a process of its own; any number of them run beside servers.
#pragma once

#include "cli/command_line.hpp"

namespace reclaim::apps {

// After the client's commands: `reclaim maintenance run` is one of them.
void add_maintenance_command(cli::CommandLine& line);

}  // namespace reclaim::apps
