// Every command of `reclaim` that is not a daemon, added to the line that the daemons share.
#pragma once

#include "cli/command_line.hpp"

namespace reclaim::cli {

void add_client_commands(CommandLine& line);

}  // namespace reclaim::cli
